//! Filters of lists: a subset of AIP-160, read into a tree that is asked of one thing at a time.
//!
//! ```text
//!  expr   = clause { AND clause }          clause = simple { OR simple }     (OR binds tighter)
//!  simple = [ NOT | - ] ( '(' expr ')' | field ( = | != | : ) value )
//!  field  = name { . name | . "text" }     value  = word | "text", where * at an end stands for anything
//! ```
//!
//! What is not understood is refused, with the position; it is never ignored.

use crate::{Fault, Reason};
use std::fmt;

/// The longest filter, in bytes.
pub const MAX_TEXT: usize = 2048;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 16;

/// A field that a list can be filtered by.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name; one that ends in `.` is a map, whose entries are fields: `labels.app`.
    pub name: &'static str,
    /// Whether a value may be compared with it; patterns are not asked.
    pub accepts: fn(&str) -> bool,
    /// What it accepts, for people; empty where it accepts any text.
    pub values: &'static str,
}

impl Field {
    /// A field that holds any text.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self { name, accepts: |_| true, values: "" }
    }
}

/// A filter that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter(Option<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Is(String, Pattern),
    Has(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    Prefix(String),
    Suffix(String),
    Inside(String),
    Present,
}

impl Filter {
    /// Reads a filter over these fields; an empty text takes everything.
    ///
    /// # Errors
    /// `FILTER_INVALID`, with the position of what is not understood.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT {
            return Err(refused(0, &format!("has {} bytes; at most {MAX_TEXT} are read", text.len()), fields));
        }
        let tokens = lex(text).map_err(|(at, why)| refused(at, &why, fields))?;
        if tokens.is_empty() {
            return Ok(Self(None));
        }
        let mut parser = Parser { tokens: &tokens, at: 0, end: text.chars().count(), fields };
        let read = parser.expr(0).and_then(|node| parser.finish().map(|()| node));
        read.map(|node| Self(Some(node))).map_err(|(at, why)| refused(at, &why, fields))
    }

    /// Whether it takes a thing whose fields are these; a field that it has not is `None`.
    #[must_use]
    pub fn takes<'a>(&self, value: &dyn Fn(&str) -> Option<std::borrow::Cow<'a, str>>) -> bool {
        self.0.as_ref().is_none_or(|node| node.takes(value))
    }
}

impl Node {
    fn takes<'a>(&self, value: &dyn Fn(&str) -> Option<std::borrow::Cow<'a, str>>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.takes(value)),
            Self::Any(nodes) => nodes.iter().any(|node| node.takes(value)),
            Self::Not(node) => !node.takes(value),
            Self::Has(field) => value(field).is_some(),
            Self::Is(field, pattern) => value(field).is_some_and(|text| pattern.takes(&text)),
        }
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Self, &'static str> {
        let inner = text.trim_start_matches('*').trim_end_matches('*');
        if inner.contains('*') {
            return Err("has a '*' in its middle; it may only be at the ends");
        }
        let inner_owned = inner.to_owned();
        Ok(match (text.starts_with('*'), text.ends_with('*')) {
            (true, _) if inner.is_empty() => Self::Present,
            (false, false) => Self::Exactly(inner_owned),
            (false, true) => Self::Prefix(inner_owned),
            (true, false) => Self::Suffix(inner_owned),
            (true, true) => Self::Inside(inner_owned),
        })
    }

    fn takes(&self, text: &str) -> bool {
        match self {
            Self::Exactly(this) => text == this,
            Self::Prefix(this) => text.starts_with(this.as_str()),
            Self::Suffix(this) => text.ends_with(this.as_str()),
            Self::Inside(this) => text.contains(this.as_str()),
            Self::Present => true,
        }
    }
}

fn refused(at: usize, why: &str, fields: &[Field]) -> Fault {
    let known: Vec<String> = fields
        .iter()
        .map(|field| if field.name.ends_with('.') { format!("{}KEY", field.name) } else { field.name.to_owned() })
        .collect();
    let fix =
        format!("write for example: {} = VALUE; the fields are: {}", known.first().map_or("", |f| f), known.join(", "));
    Fault::field(Reason::FilterInvalid, "filter", format!("at character {}: {why}", at + 1)).fix(fix)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Equal,
    Unequal,
    Has,
    Dot,
    Open,
    Close,
    Minus,
}

type Placed = (usize, Token);
type Why = (usize, String);

fn lex(text: &str) -> Result<Vec<Placed>, Why> {
    let mut chars = text.chars().enumerate().peekable();
    let mut tokens: Vec<Placed> = Vec::new();
    while let Some((at, c)) = chars.next() {
        let in_value = tokens.last().is_some_and(|(_, last)| last.is_comparison());
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ':' => Token::Has,
            '.' => Token::Dot,
            '=' => Token::Equal,
            '!' if chars.next_if(|(_, c)| *c == '=').is_some() => Token::Unequal,
            '!' => return Err((at, "'!' is only known in '!='; write NOT or - to negate".into())),
            '"' => Token::Text(quoted(at, &mut chars)?),
            '<' | '>' | '~' => return Err((at, format!("the comparison {c:?} is not known; there are =, != and :"))),
            '-' if !in_value => Token::Minus,
            c if in_word(c) || c == '-' => {
                let mut word = String::from(c);
                // A dot ends a part of a field and belongs to a value.
                let more = |c: char| in_word(c) || c == '-' || (in_value && c == '.');
                while let Some((_, c)) = chars.next_if(|(_, c)| more(*c)) {
                    word.push(c);
                }
                Token::Word(word)
            }
            c => return Err((at, format!("{c:?} is not expected; put text with it in double quotes"))),
        };
        tokens.push((at, token));
    }
    Ok(tokens)
}

const fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '*' | '/')
}

fn quoted(begin: usize, chars: &mut impl Iterator<Item = (usize, char)>) -> Result<String, Why> {
    let mut text = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(text),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => text.push(c),
                _ => return Err((at, "a backslash may only stand before '\"' and '\\'".into())),
            },
            c => text.push(c),
        }
    }
    Err((begin, "the quotes are not closed".into()))
}

impl Token {
    const fn is_comparison(&self) -> bool {
        matches!(self, Self::Equal | Self::Unequal | Self::Has)
    }
    fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(this) if this == word)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Text(text) => write!(f, "{text:?}"),
            Self::Equal => f.write_str("'='"),
            Self::Unequal => f.write_str("'!='"),
            Self::Has => f.write_str("':'"),
            Self::Dot => f.write_str("'.'"),
            Self::Open => f.write_str("'('"),
            Self::Close => f.write_str("')'"),
            Self::Minus => f.write_str("'-'"),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Placed],
    at: usize,
    end: usize,
    fields: &'a [Field],
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(place, _)| *place)
    }

    fn take(&mut self, wanted: impl Fn(&Token) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        self.at += usize::from(found);
        found
    }

    fn expected<T>(&self, what: &str) -> Result<T, Why> {
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::to_string);
        Err((self.place(), format!("{what} is expected, {found} is found")))
    }

    fn finish(&self) -> Result<(), Why> {
        if self.at == self.tokens.len() { Ok(()) } else { self.expected("AND, OR or the end") }
    }

    fn expr(&mut self, depth: usize) -> Result<Node, Why> {
        let mut all = vec![self.clause(depth)?];
        while self.take(|token| token.is_word("AND")) {
            all.push(self.clause(depth)?);
        }
        Ok(single(all, Node::All))
    }

    fn clause(&mut self, depth: usize) -> Result<Node, Why> {
        let mut any = vec![self.simple(depth)?];
        while self.take(|token| token.is_word("OR")) {
            any.push(self.simple(depth)?);
        }
        Ok(single(any, Node::Any))
    }

    fn simple(&mut self, depth: usize) -> Result<Node, Why> {
        if depth >= MAX_DEPTH {
            return Err((self.place(), format!("is nested deeper than {MAX_DEPTH}")));
        }
        if self.take(|token| *token == Token::Minus || token.is_word("NOT")) {
            return Ok(Node::Not(Box::new(self.simple(depth + 1)?)));
        }
        if self.take(|token| *token == Token::Open) {
            let node = self.expr(depth + 1)?;
            if !self.take(|token| *token == Token::Close) {
                return self.expected("')'");
            }
            return Ok(node);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, Why> {
        let begin = self.place();
        let path = self.path()?;
        let comparison = match self.peek() {
            Some(token) if token.is_comparison() => token.clone(),
            _ => return self.expected("=, != or :"),
        };
        self.at += 1;
        let place = self.place();
        let (text, pattern) = self.value()?;
        // `labels:app` asks for the entry.
        if comparison == Token::Has && self.fields.iter().any(|field| field.name.strip_suffix('.') == Some(&path)) {
            return Ok(Node::Has(format!("{path}.{text}")));
        }
        let Some(field) = self.fields.iter().find(|field| names(field, &path)) else {
            return Err((begin, format!("there is no field {path:?} to filter by")));
        };
        if matches!(pattern, Pattern::Exactly(_)) && !(field.accepts)(&text) {
            return Err((place, format!("{text:?} is no value of {path}, which is {}", field.values)));
        }
        let is = Node::Is(path, pattern);
        Ok(if comparison == Token::Unequal { Node::Not(Box::new(is)) } else { is })
    }

    fn path(&mut self) -> Result<String, Why> {
        let mut path = match self.peek() {
            Some(Token::Word(word)) if !matches!(word.as_str(), "AND" | "OR" | "NOT") => word.clone(),
            _ => return self.expected("a field"),
        };
        self.at += 1;
        while self.take(|token| *token == Token::Dot) {
            match self.peek() {
                Some(Token::Word(part) | Token::Text(part)) => path = format!("{path}.{part}"),
                _ => return self.expected("the name of an entry"),
            }
            self.at += 1;
        }
        Ok(path)
    }

    fn value(&mut self) -> Result<(String, Pattern), Why> {
        let place = self.place();
        let read = match self.peek() {
            Some(Token::Word(text)) => {
                let pattern = Pattern::read(text).map_err(|why| (place, format!("{text:?} {why}")))?;
                (text.clone(), pattern)
            }
            // In quotes a star is a star but at the ends, as in AIP-160.
            Some(Token::Text(text)) => {
                let pattern = Pattern::read(text).unwrap_or_else(|_| Pattern::Exactly(text.clone()));
                (text.clone(), pattern)
            }
            _ => return self.expected("a value"),
        };
        self.at += 1;
        Ok(read)
    }
}

fn names(field: &Field, path: &str) -> bool {
    match field.name.strip_suffix('.') {
        Some(_) => path.len() > field.name.len() && path.starts_with(field.name),
        None => path == field.name,
    }
}

fn single(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(one), true) => one,
        (last, _) => {
            nodes.extend(last);
            many(nodes)
        }
    }
}

#[cfg(test)]
mod tests;
