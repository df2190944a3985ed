//! What every target asks: bytes are read as checked returns, or refused with a message. Nothing else may happen.

use equirisk::io::{Input, Kind, Missing, Notation, ReadOptions, npy, read_covariance, read_returns};

/// Memory that a reader may be asked for: small, so that the fuzzer's own limit tells a bomb.
const MEMORY: u64 = 64 << 20;

/// Reads the bytes as histories of both kinds, as told and as detected.
pub fn read_history(bytes: &[u8]) {
    let input = [Input::Bytes { name: "f".to_string(), bytes: bytes.to_vec() }];
    let said = Notation {
        delimiter: Some(b';'),
        decimal_comma: Some(true),
        date_format: Some("%d.%m.%Y".to_string()),
        long: true,
        ..Notation::default()
    };
    let marked = Notation {
        thirty_seconds: true,
        missing: vec!["x".to_string(), "-99".to_string()],
        date_format: Some("none".to_string()),
        percent: Some(true),
        table: Some(2),
        ..Notation::default()
    };
    // The bytes beside themselves, and in two halves: files are joined, or put one after the other.
    let part = |name: &str, bytes: &[u8]| Input::Bytes { name: name.to_string(), bytes: bytes.to_vec() };
    let middle = bytes.iter().skip(bytes.len() / 2).position(|byte| *byte == b'\n').map_or(0, |at| bytes.len() / 2 + at);
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let second = [&bytes[..header], &bytes[middle.max(header)..]].concat();
    let _ = read_returns(&[part("a", &bytes[..middle]), part("b", &second)], &ReadOptions::default());
    for (kind, missing, notation) in [
        (Kind::Prices, Missing::CompleteRows, Notation::default()),
        (Kind::Returns, Missing::ExcludeAssets, Notation::default()),
        (Kind::Returns, Missing::CompleteRows, Notation { long: true, ..Notation::default() }),
        (Kind::Prices, Missing::Error, said),
        (Kind::Returns, Missing::CompleteRows, marked),
    ] {
        let options = ReadOptions { kind, missing, notation, memory: Some(MEMORY), ..ReadOptions::default() };
        match read_returns(&input, &options) {
            Ok(reading) => {
                let returns = &reading.returns;
                assert!(returns.rows() >= 2 && !returns.assets.is_empty());
                assert_eq!(returns.values.len(), returns.rows() * returns.assets.len());
                assert!(returns.values.iter().all(|x| x.is_finite()));
                assert!(reading.notices.iter().all(|notice| !notice.contains('\n')), "{:?}", reading.notices);
            }
            Err(error) => {
                assert!(!error.message.chars().any(char::is_control), "{error:?}");
                assert!(error.message.len() < 1_000, "{error}");
            }
        }
    }
}

/// Reads the bytes as a covariance.
pub fn read_matrix(bytes: &[u8]) {
    let input = Input::Bytes { name: "f".to_string(), bytes: bytes.to_vec() };
    if let Ok((covariance, _)) = read_covariance(&input, None, None) {
        assert_eq!(covariance.values.len(), covariance.assets.len().pow(2));
        assert!(covariance.values.iter().all(|x| x.is_finite()));
    }
}

/// Reads the bytes as an array of matrices.
pub fn read_array(bytes: &[u8]) {
    let input = Input::Bytes { name: "f".to_string(), bytes: bytes.to_vec() };
    if let Ok(array) = npy::read(&input) {
        assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
    }
}
