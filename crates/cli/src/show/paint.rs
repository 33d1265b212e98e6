//! Colour, where it is wanted.

use clap::builder::styling::{AnsiColor, Style};
use weft_domain::lifecycle::Phase;

/// Colours text, or leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Colours.
    Colour,
    /// Leaves text as it is.
    Plain,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        match self {
            Self::Colour => format!("{style}{text}{style:#}"),
            Self::Plain => text.to_owned(),
        }
    }

    /// A heading or a word that leads a line.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// A trouble.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something to look at.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Something that is well.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Something that need not be looked at.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// A phase.
    #[must_use]
    pub fn phase(self, phase: Phase) -> String {
        let text = phase.as_str();
        match phase {
            Phase::Running => self.good(text),
            Phase::Failed | Phase::Lost => self.bad(text),
            Phase::Created | Phase::Stopped => self.faint(text),
            Phase::Pending
            | Phase::Creating
            | Phase::Starting
            | Phase::Paused
            | Phase::Stopping
            | Phase::Migrating
            | Phase::Deleting => self.warning(text),
        }
    }
}
