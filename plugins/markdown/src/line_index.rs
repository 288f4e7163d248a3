//! From byte offsets to line numbers. Knows nothing of Markdown.

/// Where each line of a text starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Looks for the line starts of `text`. `\n` and `\r\n` end a line.
    pub(crate) fn new(text: &str) -> Self {
        let after = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { starts: std::iter::once(0).chain(after).collect() }
    }

    /// The line, from 1, that byte `offset` lies on.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The offset at which `line` (from 1) starts, if there is such a line.
    pub(crate) fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines() {
        let index = LineIndex::new("ab\r\ncd\n");
        assert_eq!([0, 3, 4, 6, 7].map(|offset| index.line(offset)), [1, 1, 2, 2, 3]);
        assert_eq!(index.start(2), Some(4));
        assert_eq!(index.start(0), None);
    }
}
