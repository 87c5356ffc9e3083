-- Suggestions of a card, separated by spaces: feedback may only name these.
ALTER TABLE decision_card ADD COLUMN suggestions TEXT NOT NULL DEFAULT '';
