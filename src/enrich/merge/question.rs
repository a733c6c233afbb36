//! One question about one subject ("what is the name?"), what each source answers, and which answers can be true
//! together.
//!
//! Invariant: numbers only, no personal data: what learns from questions learns nothing about anybody.

/// The most votes one question has; more sources than this never answer about one person.
pub(super) const MOST_VOTES: usize = 128;

/// What a question is about. Sources are good at one and bad at another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Topic {
    Name,
    Birth,
    Account,
}

impl Topic {
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Birth, Self::Account];

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// One source's answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    /// The source's place in [`super::Sources`]; none for one that nothing is known of.
    pub(super) seat: Option<usize>,
    pub(super) traits: Traits,
    /// How much of the space of answers it covers; 1 is a full name, or one year of birth. A vague answer is easily
    /// right, and proves little.
    pub(super) breadth: f64,
    /// In what form it is written, and which of the wordings in this question it is.
    pub(super) form: u8,
    pub(super) wording: u8,
}

/// What else is known of an answer. How much each of it says is learned for every source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    /// How sure the source says it is.
    pub(super) confidence: Option<f64>,
    /// How many years ago it was true.
    pub(super) years: f64,
    /// Whether the account links back.
    pub(super) is_proven: bool,
}

/// An answer that may be true, with the votes that allow it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// One bit a vote.
    pub(super) supporters: u128,
    pub(super) breadth: f64,
}

/// A count as a number to reckon with.
pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Candidate {
    pub(super) const fn has(&self, vote: usize) -> bool {
        self.supporters >> vote & 1 == 1
    }
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) topic: Topic,
    pub(super) votes: Vec<Vote>,
    pub(super) candidates: Vec<Candidate>,
    /// How many answers there are that have nothing in common.
    pub(super) different: usize,
    /// The chance that several answers are true side by side: two accounts on one network.
    pub(super) many: f64,
    /// Whether some sources speak of somebody else in all fields: then they agree because they mean the same one, not
    /// because they copy.
    pub(super) of_two: bool,
}

impl Question {
    /// Whether both votes can be right.
    pub(super) fn agree(&self, one: usize, other: usize) -> bool {
        self.candidates.iter().any(|candidate| candidate.has(one) && candidate.has(other))
    }
}
