//! A set of fields of the record.
//!
//! Invariant: three bits; a number that came from elsewhere is cut to them.

use std::fmt;

use gleaner_providers::Field;

/// Some of the fields, or none.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fields(u8);

impl Fields {
    pub const NONE: Self = Self(0);
    /// How many sets there are.
    pub const SETS: usize = 8;

    pub fn of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        fields.into_iter().fold(Self::NONE, |set, field| set.with(*field))
    }

    /// The set of this number, as [`bits`](Self::bits) gives it.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b111)
    }

    /// Its number, below [`SETS`](Self::SETS).
    pub const fn bits(self) -> u8 {
        self.0
    }

    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u8)
    }

    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |field| self.contains(*field))
    }

    /// The words, such as `name social`; `-` for none.
    pub fn words(self) -> String {
        if self.is_empty() {
            return "-".to_owned();
        }
        self.iter().map(Field::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}
