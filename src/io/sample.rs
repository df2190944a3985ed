//! The data set inside the program, so that every command runs without a file. Source and licence stand in NOTICE.

/// Daily index levels 1998-12-31 to 2014-03-21: bonds, equities, commodities, credit, emerging markets. Gzipped CSV.
pub(crate) static SAMPLE: &[u8] = include_bytes!("../../data/sample.csv.gz");
