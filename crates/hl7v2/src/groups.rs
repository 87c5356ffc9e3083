//! Which segments belong together: patients, specimens, visits and orders of a message, told by the order of segments.
//!
//! The standard describes each message's structure as a grammar. This module knows of it only which segments begin a group, and which groups
//! stand in which: enough to find the order of a result, without refusing messages that their grammar would refuse.
//!
//! | messages | groups, from the outside |
//! |---|---|
//! | most | patient (`PID`), order (`ORC`, or a detail such as `OBR` or `RXA` when there is no `ORC` before it) |
//! | with a specimen before its orders (`OUL`, `OML^O33`) | patient, specimen (`SPM`), order |
//! | `OUL^R22` to `R24` | the order begins with `OBR`, and `ORC` follows |
//! | `BAR` | patient, visit (`PV1`) |
//! | `DFT` | patient, transaction (`FT1`), order; `GT1`, `IN1`, `IN2`, `IN3`, `ACC` are the patient's |
//! | `SIU` | patient, resources (`RGS`) |
//! | `PPR`, `PGL` | patient, problem or goal (`PRB`, `GOL`), order |
//! | `MDM` | patient; the document's orders are the patient's |
//! | `REF` | patient, order; `PV1` and `PV2` are the patient's |

use crate::Message;
use crate::segment::Segment;

/// The groups of a message. Group 0 is the message itself.
#[derive(Clone, Debug)]
pub struct Groups {
    groups: Vec<Group>,
    /// The innermost group of each segment.
    of: Vec<usize>,
}

/// A group of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group in which it stands; `None` for the message.
    pub parent: Option<usize>,
    /// Index of the segment that begins it.
    pub head: usize,
    /// Indexes of its segments, without those of the groups in it.
    pub members: Vec<usize>,
    rank: usize,
}

/// What begins a group of one rank.
struct Rank {
    /// Always begin a group.
    leaders: &'static [&'static str],
    /// Begin one where none is open, or the open one has a segment of the same name.
    details: &'static [&'static str],
}

const DETAILS: &[&str] = &["OBR", "RXA", "RXO", "RXE", "RXD", "RXG", "RQD", "ODS", "ODT"];
const PATIENT: Rank = Rank { leaders: &["PID"], details: &[] };
const SPECIMEN: Rank = Rank { leaders: &["SPM"], details: &[] };
const ORDER: Rank = Rank { leaders: &["ORC"], details: DETAILS };
const OBSERVATION_ORDER: Rank = Rank { leaders: &["OBR"], details: &["ORC"] };
const VISIT: Rank = Rank { leaders: &["PV1"], details: &[] };
const TRANSACTION: Rank = Rank { leaders: &["FT1"], details: &[] };
const RESOURCES: Rank = Rank { leaders: &["RGS"], details: &[] };
const PROBLEM: Rank = Rank { leaders: &["PRB"], details: &[] };
const GOAL: Rank = Rank { leaders: &["GOL"], details: &[] };

/// Ranks of a message from the outside, and the segments that belong to the patient wherever they stand.
struct Layout {
    ranks: Vec<Rank>,
    of_patient: &'static [&'static str],
}

fn layout_of(message: &Message) -> Layout {
    let (code, trigger) = (message.code().unwrap_or_default(), message.trigger().unwrap_or_default());
    let plain = |ranks: Vec<Rank>| Layout { ranks, of_patient: &[] };
    let position = |ids: &[&str]| message.all_segments().position(|segment| ids.contains(&segment.id()));
    match code.as_ref() {
        "BAR" => plain(vec![PATIENT, VISIT]),
        "DFT" => Layout {
            ranks: vec![PATIENT, TRANSACTION, ORDER],
            of_patient: &["GT1", "IN1", "IN2", "IN3", "ACC"],
        },
        "SIU" => plain(vec![PATIENT, RESOURCES]),
        "MDM" => plain(vec![PATIENT]),
        "REF" => Layout { ranks: vec![PATIENT, ORDER], of_patient: &["PV1", "PV2"] },
        "PPR" => plain(vec![PATIENT, PROBLEM, GOAL, ORDER]),
        "PGL" => plain(vec![PATIENT, GOAL, PROBLEM, ORDER]),
        _ => {
            let order = match (code.as_ref(), trigger.as_ref()) {
                ("OUL", "R22" | "R23" | "R24") => OBSERVATION_ORDER,
                _ => ORDER,
            };
            let is_specimen_first = match (position(&["SPM"]), position(&["ORC", "OBR"])) {
                (Some(specimen), Some(order)) => specimen < order,
                _ => false,
            };
            plain(if is_specimen_first { vec![PATIENT, SPECIMEN, order] } else { vec![PATIENT, order] })
        }
    }
}

impl Groups {
    /// The groups of a message.
    pub fn of(message: &Message) -> Groups {
        let layout = layout_of(message);
        let root = Group { parent: None, head: 0, members: Vec::new(), rank: 0 };
        let mut groups = Groups { groups: vec![root], of: Vec::with_capacity(message.n_segments()) };
        let mut open = 0;
        for segment in message.all_segments() {
            let id = segment.id();
            if let Some(rank) = groups.rank_begun_by(id, &layout, open, message) {
                open = groups.up_to(open, rank - 1);
                let group = Group { parent: Some(open), head: segment.index(), members: Vec::new(), rank };
                open = groups.groups.len();
                groups.groups.push(group);
            }
            if layout.of_patient.contains(&id) {
                open = groups.up_to(open, 1);
            }
            groups.groups[open].members.push(segment.index());
            groups.of.push(open);
        }
        groups
    }

    /// The rank of the group that a segment begins, counted from 1.
    fn rank_begun_by(&self, id: &str, layout: &Layout, open: usize, message: &Message) -> Option<usize> {
        (1..).zip(&layout.ranks).find_map(|(number, rank)| {
            if rank.leaders.contains(&id) {
                return Some(number);
            }
            if !rank.details.contains(&id) {
                return None;
            }
            let current = &self.groups[self.up_to(open, number)];
            let has_same =
                || current.members.iter().any(|index| message.segment(*index).is_some_and(|s| s.id() == id));
            (current.rank < number || has_same()).then_some(number)
        })
    }

    /// The group itself or the one around it that has at most a rank.
    fn up_to(&self, mut group: usize, rank: usize) -> usize {
        while self.groups[group].rank > rank {
            group = self.groups[group].parent.unwrap_or(0);
        }
        group
    }

    /// All groups, each after the one in which it stands.
    pub fn all(&self) -> &[Group] {
        &self.groups
    }

    /// The innermost group of a segment.
    pub fn innermost(&self, segment: &Segment<'_>) -> usize {
        self.of.get(segment.index()).copied().unwrap_or(0)
    }

    /// A group and those around it, from the inside to the message.
    pub fn around(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(group), |group| self.groups.get(*group)?.parent)
    }
}
