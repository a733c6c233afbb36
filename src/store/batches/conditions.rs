//! A selection as the conditions of a statement, composed of fixed parts: nothing that was given is ever part of the text.
//!
//! The numbers of the parameters are the same in every statement: 1 statuses, 2 since, 3 until, 4 batch, 5 provider,
//! 6 answered before, 7 confidence, 8 the batch being filled, 9 now, 10 reason, 11 error, 12 ids.
//!
//! Invariant: pure.

use gleaner_providers::Field;

use super::Selection;

/// What engines write differently.
pub(in crate::store) struct Dialect {
    /// `LEFT = ANY OF PARAMETER`, for a list of texts and one of numbers.
    pub(in crate::store) status_is_one_of: &'static str,
    pub(in crate::store) id_is_one_of: &'static str,
    /// Whether the error's text holds the parameter.
    pub(in crate::store) error_holds: &'static str,
    pub(in crate::store) now: &'static str,
    /// Whether the name, the age and the surest profile are less sure than the parameter.
    pub(in crate::store) is_less_sure: [&'static str; 3],
}

/// Conditions upon `record`: members without a dead letter.
pub(in crate::store) fn of_records(selection: &Selection, dialect: &Dialect) -> String {
    let mut text = "NOT EXISTS (
            SELECT 1 FROM dead_letters AS letter WHERE letter.member_id = record.member_id AND letter.subject IS NOT NULL
        )"
    .to_owned();
    let mut and = |part: &str| {
        text.push_str("\n        AND ");
        text.push_str(part);
    };
    if selection.statuses().is_some() {
        and(dialect.status_is_one_of);
    }
    if selection.since.is_some() {
        and("record.updated_at >= $2");
    }
    if selection.until.is_some() {
        and("record.updated_at < $3");
    }
    if selection.batch.is_some() {
        and("(record.batch = $4 OR record.replay = $4)");
    }
    shared(selection, dialect, "record", &mut and);
    text
}

/// Conditions upon `letter`, beside which `record` may be there or not.
pub(in crate::store) fn of_letters(selection: &Selection, dialect: &Dialect) -> String {
    let mut text = "letter.subject IS NOT NULL".to_owned();
    let mut and = |part: &str| {
        text.push_str("\n        AND ");
        text.push_str(part);
    };
    if selection.since.is_some() {
        and("letter.at >= $2");
    }
    if selection.until.is_some() {
        and("letter.at < $3");
    }
    if selection.batch.is_some() {
        and("(letter.batch = $4 OR letter.replay = $4)");
    }
    if selection.dead_reason.is_some() {
        and("letter.reason = $10");
    }
    if selection.dead_error.is_some() {
        and(dialect.error_holds);
    }
    if selection.dead_ids.is_some() {
        and(dialect.id_is_one_of);
    }
    shared(selection, dialect, "letter", &mut and);
    text
}

fn shared(selection: &Selection, dialect: &Dialect, subject_of: &str, and: &mut impl FnMut(&str)) {
    // Who failed has not answered: with a class of errors, the list says whom the provider is about.
    let provider = selection.provider.is_some() && selection.error_class.is_none();
    if provider || selection.answered_before.is_some() {
        let mut answers = format!(
            "EXISTS (SELECT 1 FROM provider_answers AS answer WHERE answer.subject = {subject_of}.subject"
        );
        if provider {
            answers.push_str(" AND answer.provider = $5");
        }
        if selection.answered_before.is_some() {
            answers.push_str(" AND answer.fetched_at < $6");
        }
        answers.push(')');
        and(&answers);
    }
    if let Some(field) = selection.missing {
        and(match field {
            Field::Name => "record.full_name IS NULL",
            Field::Age => "record.birth_earliest IS NULL",
            Field::Social => "coalesce(record.social_profiles, '[]') = '[]'",
        });
    }
    if let Some(below) = selection.below {
        let [name, age, social] = dialect.is_less_sure;
        and(match below.field {
            Field::Name => name,
            Field::Age => age,
            Field::Social => social,
        });
    }
    if selection.expired {
        and(&format!("record.expires_at <= {}", dialect.now));
    }
    if selection.listed {
        and(&format!(
            "EXISTS (SELECT 1 FROM batch_members AS listed WHERE listed.batch = $8 AND listed.member_id = {subject_of}.member_id)"
        ));
    }
}
