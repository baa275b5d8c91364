//! Runs a Python pickle, which is a program for a stack machine, without executing any Python: it stores the names of
//! classes and the arguments of calls instead.
//!
//! Source: CPython 3.13, `Lib/pickletools.py`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// A value. It refers to other values by their index in the machine's nodes, because several values of a pickle may
/// contain the same value.
#[derive(Debug, Clone)]
pub(in crate::list) enum Node {
    None,
    Flag(bool),
    Number(i64),
    /// A number or bytes whose value isn't used.
    Opaque,
    Text(String),
    /// A tuple, list or set.
    Sequence(Vec<usize>),
    Dict(Vec<(usize, usize)>),
    /// A class or function.
    Global,
    /// An object: the arguments that made it, and its state.
    Object {
        arguments: Vec<usize>,
        state: Option<usize>,
    },
}

/// The machine after its program has ended.
pub(in crate::list) struct Machine {
    nodes: Vec<Node>,
}

/// Largest depth of nested objects that is followed. Without a limit, a value that contains itself would never end.
const DEPTH: usize = 8;

impl Machine {
    pub fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    /// Returns the text at a node, or `None` if it is no text. A member of an enumeration counts as its value.
    pub fn text(&self, at: usize) -> Option<&str> {
        match self.plain(at) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number at a node, or `None` if there is none. A member of an enumeration counts as its value.
    pub fn number(&self, at: usize) -> Option<i64> {
        match self.plain(at) {
            Node::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn plain(&self, mut at: usize) -> &Node {
        for _ in 0..DEPTH {
            match &self.nodes[at] {
                Node::Object { arguments, .. } if arguments.len() == 1 => at = arguments[0],
                node => return node,
            }
        }
        &Node::Opaque
    }

    /// Returns a field of an object or of a dictionary.
    pub fn field(&self, at: usize, name: &str) -> Option<usize> {
        let state = match &self.nodes[at] {
            Node::Object { state, .. } => (*state)?,
            _ => at,
        };
        let found = self.pairs(state).iter().find(|(key, _)| self.text(*key) == Some(name));
        found.map(|&(_, value)| value)
    }

    pub fn pairs(&self, at: usize) -> &[(usize, usize)] {
        match &self.nodes[at] {
            Node::Dict(pairs) => pairs,
            _ => &[],
        }
    }

    pub fn items(&self, at: usize) -> &[usize] {
        match &self.nodes[at] {
            Node::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Runs a pickle. Returns the machine and the place of the result.
    ///
    /// # Errors
    /// The pickle is cut or damaged, or has an instruction that no state of `threatexchange` has.
    pub fn run(bytes: &[u8]) -> Result<(Self, usize)> {
        let mut run =
            Run { input: bytes, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: BTreeMap::new() };
        while !run.step()? {}
        let root = run.pop()?;
        Ok((Self { nodes: run.nodes }, root))
    }
}

struct Run<'a> {
    input: &'a [u8],
    nodes: Vec<Node>,
    stack: Vec<usize>,
    marks: Vec<usize>,
    memo: BTreeMap<u64, usize>,
}

impl Run<'_> {
    /// Runs one instruction. Returns whether the program has ended.
    fn step(&mut self) -> Result<bool> {
        match self.number::<1>()? as u8 {
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?), // A frame header: the number of bytes that Python reads ahead.
            b'.' => return Ok(true),
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Flag(true)),
            0x89 => self.push(Node::Flag(false)),
            b'K' => self.push_number::<1>()?,
            b'M' => self.push_number::<2>()?,
            b'J' => {
                let number = self.number::<4>()? as u32;
                self.push(Node::Number(number.cast_signed().into()));
            }
            0x8a => {
                let length = self.number::<1>()?;
                let bytes = self.take(length)?;
                // Little-endian two's complement of any length. Numbers of more than 8 bytes aren't needed and become
                // `Opaque`.
                let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut wide = [if is_negative { 0xff } else { 0 }; 8];
                let node = match wide.get_mut(..bytes.len()) {
                    Some(low) => {
                        low.copy_from_slice(bytes);
                        Node::Number(i64::from_le_bytes(wide))
                    }
                    None => Node::Opaque,
                };
                self.push(node);
            }
            b'G' => self.push_opaque(8)?,
            0x8c => self.push_text::<1>()?,
            b'X' => self.push_text::<4>()?,
            0x8d => self.push_text::<8>()?,
            b'C' => self.push_bytes::<1>()?,
            b'B' => self.push_bytes::<4>()?,
            0x8e | 0x96 => self.push_bytes::<8>()?,
            b'}' => self.push(Node::Dict(Vec::new())),
            b')' | b']' | 0x8f => self.push(Node::Sequence(Vec::new())),
            b'(' => self.marks.push(self.stack.len()),
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' | 0x91 | b'l' => {
                let items = self.marked()?;
                self.push(Node::Sequence(items));
            }
            b'd' => {
                let items = self.marked()?;
                self.push(Node::Dict(items.as_chunks().0.iter().map(|&[key, value]| (key, value)).collect()));
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(&[key, value])?;
            }
            b'u' => {
                let items = self.marked()?;
                self.insert(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.marked()?;
                self.append(&items)?;
            }
            0x93 => {
                self.pop()?;
                self.pop()?;
                self.push(Node::Global);
            }
            b'c' => {
                self.line()?;
                self.line()?;
                self.push(Node::Global);
            }
            0x81 | b'R' => {
                let arguments = self.pop()?;
                self.pop()?;
                self.object(arguments);
            }
            0x92 => {
                self.pop()?;
                let arguments = self.pop()?;
                self.pop()?;
                self.object(arguments);
            }
            b'b' => self.build()?,
            0x94 => self.remember(self.memo.len() as u64)?,
            b'q' => {
                let place = self.number::<1>()? as u64;
                self.remember(place)?;
            }
            b'r' => {
                let place = self.number::<4>()? as u64;
                self.remember(place)?;
            }
            b'h' => {
                let place = self.number::<1>()? as u64;
                self.recall(place)?;
            }
            b'j' => {
                let place = self.number::<4>()? as u64;
                self.recall(place)?;
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = *self.stack.last().context("pickle: expected a value, got none")?;
                self.stack.push(top);
            }
            other => bail!("pickle: expected the instructions of a state, got {other:#04x}"),
        }
        Ok(false)
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        let (taken, rest) = self.input.split_at_checked(length).context("pickle: expected more bytes, got the end")?;
        self.input = rest;
        Ok(taken)
    }

    /// Reads a little-endian number of `N` bytes, 8 at most.
    fn number<const N: usize>(&mut self) -> Result<usize> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.take(N)?);
        Ok(usize::try_from(u64::from_le_bytes(wide))?)
    }

    /// Reads up to a line feed.
    fn line(&mut self) -> Result<()> {
        let end = self.input.iter().position(|&byte| byte == b'\n').context("pickle: expected a line, got the end")?;
        self.take(end + 1).map(drop)
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn push_number<const N: usize>(&mut self) -> Result<()> {
        let number = self.number::<N>()?;
        self.push(Node::Number(i64::try_from(number)?));
        Ok(())
    }

    fn push_opaque(&mut self, length: usize) -> Result<()> {
        self.take(length)?;
        self.push(Node::Opaque);
        Ok(())
    }

    fn push_text<const N: usize>(&mut self) -> Result<()> {
        let length = self.number::<N>()?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    fn push_bytes<const N: usize>(&mut self) -> Result<()> {
        let length = self.number::<N>()?;
        self.push_opaque(length)
    }

    fn pop(&mut self) -> Result<usize> {
        self.stack.pop().context("pickle: expected a value, got none")
    }

    fn marked(&mut self) -> Result<Vec<usize>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.context("pickle: expected a mark, got none")?))
    }

    fn tuple(&mut self, length: usize) -> Result<()> {
        let start = self.stack.len().checked_sub(length).context("pickle: expected values, got none")?;
        let items = self.stack.split_off(start);
        self.push(Node::Sequence(items));
        Ok(())
    }

    fn top(&mut self) -> Result<&mut Node> {
        let top = *self.stack.last().context("pickle: expected a value, got none")?;
        Ok(&mut self.nodes[top])
    }

    fn insert(&mut self, items: &[usize]) -> Result<()> {
        let Node::Dict(pairs) = self.top()? else { bail!("pickle: expected a dictionary, got another value") };
        pairs.extend(items.as_chunks().0.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn append(&mut self, items: &[usize]) -> Result<()> {
        let Node::Sequence(sequence) = self.top()? else { bail!("pickle: expected a list, got another value") };
        sequence.extend_from_slice(items);
        Ok(())
    }

    /// Makes an object of a class and its arguments. Pickles make a set by a call with a list of its items, so a set is
    /// stored as that call.
    fn object(&mut self, arguments: usize) {
        let arguments = match &self.nodes[arguments] {
            Node::Sequence(items) => items.clone(),
            _ => Vec::new(),
        };
        self.push(Node::Object { arguments, state: None });
    }

    fn build(&mut self) -> Result<()> {
        let mut given = self.pop()?;
        // The state of an object with `__slots__` is a pair: its dictionary, and its slots. Only the dictionary is
        // used.
        if let Node::Sequence(parts) = &self.nodes[given]
            && let Some(&first) = parts.first()
        {
            given = first;
        }
        let Node::Object { state, .. } = self.top()? else { bail!("pickle: expected an object, got another value") };
        *state = Some(given);
        Ok(())
    }

    fn remember(&mut self, place: u64) -> Result<()> {
        let top = *self.stack.last().context("pickle: expected a value, got none")?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<()> {
        let known = *self.memo.get(&place).context("pickle: expected a value that was kept, got none")?;
        self.stack.push(known);
        Ok(())
    }
}
