//! What is kept of a finished chunk: lists of numbers by name, each of its own length.

/// Numbers of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    F64(Vec<f64>),
    U64(Vec<u64>),
    U32(Vec<u32>),
    U8(Vec<u8>),
}

/// Lists of numbers by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns(Vec<(String, Column)>);

impl From<Vec<f64>> for Column {
    fn from(numbers: Vec<f64>) -> Column {
        Column::F64(numbers)
    }
}

impl From<Vec<u64>> for Column {
    fn from(numbers: Vec<u64>) -> Column {
        Column::U64(numbers)
    }
}

impl From<Vec<u32>> for Column {
    fn from(numbers: Vec<u32>) -> Column {
        Column::U32(numbers)
    }
}

impl From<Vec<u8>> for Column {
    fn from(numbers: Vec<u8>) -> Column {
        Column::U8(numbers)
    }
}

impl Columns {
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, numbers: impl Into<Column>) -> Columns {
        self.0.push((name.into(), numbers.into()));
        self
    }

    /// The lists, in order.
    pub fn into_lists(self) -> impl Iterator<Item = (String, Column)> {
        self.0.into_iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.0.iter().map(|(name, column)| (name.as_str(), column))
    }

    fn get(&self, name: &str) -> Option<&Column> {
        self.iter().find(|(own, _)| *own == name).map(|(_, column)| column)
    }

    pub fn f64s(&self, name: &str) -> Option<&[f64]> {
        match self.get(name)? {
            Column::F64(numbers) => Some(numbers),
            _ => None,
        }
    }

    pub fn u64s(&self, name: &str) -> Option<&[u64]> {
        match self.get(name)? {
            Column::U64(numbers) => Some(numbers),
            _ => None,
        }
    }

    pub fn u32s(&self, name: &str) -> Option<&[u32]> {
        match self.get(name)? {
            Column::U32(numbers) => Some(numbers),
            _ => None,
        }
    }

    pub fn u8s(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Column::U8(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Bytes of all numbers.
    pub fn bytes(&self) -> u64 {
        let bytes = |column: &Column| match column {
            Column::F64(numbers) => 8 * numbers.len(),
            Column::U64(numbers) => 8 * numbers.len(),
            Column::U32(numbers) => 4 * numbers.len(),
            Column::U8(numbers) => numbers.len(),
        };
        self.iter().map(|(_, column)| bytes(column) as u64).sum()
    }
}
