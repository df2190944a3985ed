//! Places on the PCI bus, as different programs write them.

use std::fmt;

/// Where a card is plugged in. What is not written down is none, and agrees with anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pci {
    domain: Option<u32>,
    bus: u8,
    device: u8,
    function: Option<u8>,
}

impl Pci {
    /// `0000:3b:00.0`, `00000000:3B:00.0` as nvidia-smi writes it, `3b:00.0` as lspci does, `3b:00`.
    pub fn parse(text: &str) -> Option<Pci> {
        let hex = |text: &str, digits: usize| {
            let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            fits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
        };
        let byte = |text: &str, digits: usize| hex(text, digits).map(|number| number as u8);
        let (place, function) = match text.trim().split_once('.') {
            Some((place, function)) => (place, Some(byte(function, 1)?)),
            None => (text.trim(), None),
        };
        let (domain, bus, device) = match *place.split(':').collect::<Vec<_>>() {
            [bus, device] => (None, bus, device),
            [domain, bus, device] => (Some(hex(domain, 8)?), bus, device),
            _ => return None,
        };
        Some(Pci { domain, bus: byte(bus, 2)?, device: byte(device, 2)?, function })
    }

    /// Whether both can be the same place.
    pub fn agrees(&self, other: &Pci) -> bool {
        fn either<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        (self.bus, self.device) == (other.bus, other.device)
            && either(self.domain, other.domain)
            && either(self.function, other.function)
    }
}

impl fmt::Display for Pci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pci { domain, bus, device, function } = self;
        write!(f, "{:04x}:{bus:02x}:{device:02x}.{:x}", domain.unwrap_or(0), function.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_several_names() {
        let listed = Pci::parse("0000:3b:00.0").unwrap();
        for name in ["00000000:3B:00.0", "0000:3b:00.0", "3b:00.0", "3b:00", " 0:3b:0.0\n"] {
            assert!(Pci::parse(name).unwrap().agrees(&listed), "{name}");
        }
        for name in ["00000001:3b:00.0", "3b:00.1", "3c:00.0", "3b:01.0"] {
            assert!(!Pci::parse(name).unwrap().agrees(&listed), "{name}");
        }
        for name in ["", "0", "3b", "b:", ":3b:00.0", "03b:00.0", "3b:00.00", "3b:00:0:0", "H200", "GPU-3b:00"] {
            assert_eq!(Pci::parse(name), None, "{name}");
        }
        assert_eq!(Pci::parse("1:AF:2.3").unwrap().to_string(), "0001:af:02.3");
    }
}
