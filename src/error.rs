//! One error type: what went wrong, where, and what to do next.

pub use crate::text::{Mention, Text, Value, option};

/// What to do next. It names options as data, which each front renders.
pub type Hint = Text;

/// What kind of failure this is; it becomes the exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The machine failed us: a file could not be written, a device was lost for good.
    Failed,
    /// The request makes no sense: an impossible value or combination.
    Usage,
    /// A single portfolio was asked for and no certified one was found.
    Unsolved,
    /// The data were read and rejected.
    Input,
    /// No usable device.
    Device,
    /// The GPU and the CPU disagree beyond tolerance.
    Disagreement,
    /// It was asked to end before it was done.
    Interrupted,
}

/// A failure of the whole run. A hard problem inside a batch is never an `Error`: it is a [`crate::Status`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: ErrorKind,
    /// What and where, lower case, without a trailing period.
    pub message: Text,
    /// What to do next.
    pub hint: Option<Hint>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<Text>) -> Self {
        Error { kind, message: message.into(), hint: None }
    }

    pub fn input(message: impl Into<Text>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    pub fn usage(message: impl Into<Text>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub fn failed(message: impl Into<Text>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    pub fn device(message: impl Into<Text>) -> Self {
        Self::new(ErrorKind::Device, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<Text>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
