//! Addresses out of a members' file: `member_id,email` lines.
//!
//! Invariant: a line that cannot be read is passed over: refusing it is the intake's task, not the sandbox's.

/// The second column of every line after the header, unquoted: what [`super::SandboxSettings::members`] takes.
pub fn addresses(csv: &str) -> Vec<String> {
    csv.lines().skip(1).filter_map(|line| line.split_once(',')).map(|(_, email)| unquoted(email)).collect()
}

fn unquoted(field: &str) -> String {
    match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}
