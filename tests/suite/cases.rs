//! Reference cases under `tests/data`, and the small readers they need.

use std::io::Read;
use std::path::PathBuf;

pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(data(name)).unwrap()).unwrap()
}

/// Arrays of an .npz file, which is a zip of .npy members: (shape, values). C order, little-endian f64.
pub struct Npz(zip::ZipArchive<std::fs::File>);

impl Npz {
    pub fn open(name: &str) -> Npz {
        Npz(zip::ZipArchive::new(std::fs::File::open(data(name)).unwrap()).unwrap())
    }

    pub fn array(&mut self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let mut bytes = Vec::new();
        self.0.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
        let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
        let shape = shape.split(',').filter_map(|s| s.trim().parse().ok()).collect();
        let values = bytes[10 + length..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        (shape, values)
    }
}

/// Numbers of a JSON array.
pub fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}
