//! Tables without borders. Rows that come later keep the columns where they are.

use super::paint::Paint;

/// Spaces between columns.
const GAP: usize = 3;

/// One cell: its text, and how it is coloured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    painted: Option<String>,
}

impl Cell {
    /// A cell that looks like `painted` and is as wide as `text`.
    #[must_use]
    pub fn painted(text: impl Into<String>, painted: String) -> Self {
        Self { text: text.into(), painted: Some(painted) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        let text: String = text.into();
        Self { text: if text.is_empty() { "-".to_owned() } else { text }, painted: None }
    }
}

/// Columns and their widths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    heads: Vec<&'static str>,
    widths: Vec<usize>,
    paint: Paint,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(heads: &[&'static str], paint: Paint) -> Self {
        Self { heads: heads.to_vec(), widths: heads.iter().map(|head| head.len()).collect(), paint }
    }

    /// Makes columns wide enough for this row.
    pub fn fit(&mut self, row: &[Cell]) {
        for (width, cell) in self.widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }

    /// The line of heads.
    #[must_use]
    pub fn head(&self) -> String {
        let cells: Vec<Cell> = self.heads.iter().map(|head| Cell::painted(*head, self.paint.strong(head))).collect();
        self.line(&cells)
    }

    /// The line of a row.
    #[must_use]
    pub fn line(&self, row: &[Cell]) -> String {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            line += cell.painted.as_deref().unwrap_or(&cell.text);
            if i + 1 < row.len() {
                let width = self.widths.get(i).copied().unwrap_or_default();
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
            }
        }
        line.push('\n');
        line
    }

    /// Heads and rows at once.
    #[must_use]
    pub fn whole(mut self, rows: &[Vec<Cell>]) -> String {
        for row in rows {
            self.fit(row);
        }
        let lines = rows.iter().map(|row| self.line(row));
        std::iter::once(self.head()).chain(lines).collect()
    }
}
