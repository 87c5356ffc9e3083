//! The rule files in force, what is wrong with newer ones, and how the tests in them go.

use std::sync::{Arc, PoisonError, RwLock};

use rules::{RuleFile, RuleSet, TestOutcome, files_with_shipped, test_files};

use crate::{Platform, StreamError};

type Tested = (Arc<Vec<RuleFile>>, Arc<Vec<TestOutcome>>);

/// What is known of the files beside the rules that were made of them.
#[derive(Default)]
pub(crate) struct Book {
    /// Files of this house; the shipped ones are beside them.
    files: RwLock<Arc<Vec<RuleFile>>>,
    /// Why newer files are not used.
    faults: RwLock<Vec<String>>,
    /// The outcomes of the tests of these files.
    tested: tokio::sync::Mutex<Option<Tested>>,
}

impl Book {
    fn files(&self) -> Arc<Vec<RuleFile>> {
        Arc::clone(&self.files.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Platform {
    /// Other rules from now on, with the files of this house that they were read from; states of patients stay. [`Platform::keep_rules`] remembers
    /// the versions and looks at the timers again.
    pub fn use_rules(&self, rules: RuleSet, files: Vec<RuleFile>) {
        *self.inner.book.files.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(files);
        self.set_rule_faults(Vec::new());
        self.set_rules(rules);
    }

    /// The files of this house that are in force.
    pub fn rule_files(&self) -> Arc<Vec<RuleFile>> {
        self.inner.book.files()
    }

    /// Newer files are not used, and why; the rules stay as they are.
    pub fn set_rule_faults(&self, faults: Vec<String>) {
        *self.inner.book.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
        self.tell();
    }

    /// What is wrong with newer files that are therefore not used.
    pub fn rule_faults(&self) -> Vec<String> {
        self.inner.book.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the tests in the rule files go, those of this house and the shipped ones. They run when somebody asks first, and again for other files.
    ///
    /// # Errors
    /// They did not come to their end: that is not the same as that there are none.
    pub async fn rule_tests(&self) -> Result<Arc<Vec<TestOutcome>>, StreamError> {
        let files = self.rule_files();
        let mut tested = self.inner.book.tested.lock().await;
        if let Some((of, outcomes)) = &*tested
            && Arc::ptr_eq(of, &files)
        {
            return Ok(Arc::clone(outcomes));
        }
        let all = files_with_shipped(&files);
        let run = tokio::task::spawn_blocking(move || test_files(&all));
        let broken = || StreamError::Unavailable("the tests of the rules broke, which is a bug".to_owned());
        let outcomes = run.await.map_err(|_| broken())?.map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            StreamError::Unavailable(format!("the tests of the rules cannot be run: {first}"))
        })?;
        let outcomes = Arc::new(outcomes);
        *tested = Some((files, Arc::clone(&outcomes)));
        Ok(outcomes)
    }
}
