//! CUDA_VISIBLE_DEVICES: the cards that a scheduler leaves to this process. Vulkan does not heed it, and numbers cards
//! otherwise, so each entry is turned into a place on the PCI bus where that is beyond doubt.

use super::facts::AdapterFacts;
use super::pci::Pci;
use super::system::{Access, System};

/// NVIDIA, as a PCI vendor.
pub const NVIDIA: u32 = 0x10de;

pub const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";
const ORDER: &str = "CUDA_DEVICE_ORDER";

/// Where the driver says what cards there are.
const CARDS: &str = "/proc/driver/nvidia/gpus";

/// Which cards of NVIDIA's may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    All,
    /// These, the preferred first.
    Only(Vec<Pci>),
    /// Something is said, but not which card: why.
    Unclear(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Card {
    place: Pci,
    model: String,
    uuid: Option<String>,
}

impl Card {
    /// From the driver's lines of `key: value`.
    fn parse(information: &str) -> Option<(Card, String)> {
        let value = |key: &str| {
            let mut lines = information.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
        };
        // A card that nothing has used yet has question marks in place of its number.
        let uuid = value("GPU UUID").filter(|uuid| !uuid.contains('?'));
        let card = Card { place: Pci::parse(&value("Bus Location")?)?, model: value("Model")?, uuid };
        Some((card, value("Device Minor")?))
    }
}

/// The cards that CUDA finds, in the order of their places: those which the driver lists and this process may open, else
/// the adapters.
fn cards(system: &System, listed: &[AdapterFacts]) -> Vec<Card> {
    let informations =
        system.names(CARDS).into_iter().filter_map(|name| system.read(&format!("{CARDS}/{name}/information")));
    let parsed = informations.filter_map(|text| Card::parse(&text));
    let usable = parsed.filter(|(_, minor)| system.access(&format!("/dev/nvidia{minor}")) == Access::Open);
    let mut cards: Vec<Card> = usable.map(|(card, _)| card).collect();
    if cards.is_empty() {
        let adapters = listed.iter().filter(|adapter| adapter.vendor == NVIDIA);
        let card =
            |adapter: &AdapterFacts| Some(Card { place: adapter.place()?, model: adapter.name.clone(), uuid: None });
        cards = adapters.filter_map(card).collect();
    }
    cards.sort_by_key(|card| card.place);
    // Windows lists each adapter once for each of its interfaces.
    cards.dedup_by_key(|card| card.place);
    cards
}

/// What CUDA_VISIBLE_DEVICES leaves of the cards.
pub fn visible(system: &System, listed: &[AdapterFacts]) -> Visible {
    let Some(entries) = system.variable(VISIBLE) else { return Visible::All };
    let cards = cards(system, listed);
    let bus_order = system.variable(ORDER).is_some_and(|order| order.trim() == "PCI_BUS_ID");
    let ordered = bus_order || cards.windows(2).all(|pair| pair[0].model == pair[1].model);
    let mut places = Vec::new();
    for entry in entries.split(',').map(str::trim) {
        match card(entry, &cards, ordered) {
            Ok(Some(card)) => places.push(card.place),
            // As for CUDA, what follows is not visible either.
            Ok(None) => break,
            Err(reason) => return Visible::Unclear(reason),
        }
    }
    let adapters = listed.iter().filter(|adapter| adapter.vendor == NVIDIA);
    if !places.is_empty() && adapters.clone().count() > 1 && adapters.clone().any(|adapter| adapter.place().is_none()) {
        return Visible::Unclear("the adapters do not say where they are plugged in".to_owned());
    }
    Visible::Only(places)
}

/// The card of one entry; none where it says that there are no more.
fn card<'a>(entry: &str, cards: &'a [Card], ordered: bool) -> Result<Option<&'a Card>, String> {
    let upper = entry.to_uppercase();
    if let Ok(index) = entry.parse::<i64>() {
        let Ok(index) = usize::try_from(index) else { return Ok(None) };
        if !ordered {
            return Err(format!("the cards differ, and without {ORDER}=PCI_BUS_ID CUDA numbers the fastest first"));
        }
        let count = cards.len();
        return cards.get(index).map(Some).ok_or_else(|| match count {
            0 => "no NVIDIA card says where it is plugged in".to_owned(),
            1 => "there is one NVIDIA card here, number 0".to_owned(),
            _ => format!("there are {count} NVIDIA cards here, numbered from 0"),
        });
    }
    if entry.is_empty() || upper == "NODEVFILES" {
        return Ok(None);
    }
    if upper.starts_with("MIG-") {
        return Err("Vulkan cannot use a MIG slice".to_owned());
    }
    if !upper.starts_with("GPU-") {
        return Err(format!("`{entry}` is neither an index nor a UUID"));
    }
    let named = |card: &&Card| card.uuid.as_ref().is_some_and(|uuid| uuid.to_uppercase().starts_with(&upper));
    let matches: Vec<&Card> = cards.iter().filter(named).collect();
    match matches[..] {
        [card] => Ok(Some(card)),
        [] => Err(format!("no card in {CARDS} has that UUID")),
        _ => Err("several cards have a UUID that begins so".to_owned()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::path::Path;

    /// As the driver describes a card.
    pub fn plug(root: &Path, minor: usize, place: &str, model: &str, uuid: &str) {
        let folder = root.join(&CARDS[1..]).join(place);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "Model: \t\t {model}\nIRQ:   \t\t 139\nGPU UUID: \t {uuid}\nVideo BIOS: \t 96.00.99.00.01\nBus Type: \t PCIe\n\
             Bus Location: \t {place}\nDevice Minor: \t {minor}\nGPU Firmware: \t 550.90.07\n"
        );
        std::fs::write(folder.join("information"), text).unwrap();
        std::fs::create_dir_all(root.join("dev")).unwrap();
        std::fs::write(root.join(format!("dev/nvidia{minor}")), "").unwrap();
    }

    /// Four cards of a node; the driver's numbers do not follow their places.
    fn node(models: [&str; 4]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let places = ["0000:1b:00.0", "0000:3b:00.0", "0000:86:00.0", "0001:01:00.0"];
        for (at, (place, model)) in places.iter().zip(models).enumerate() {
            plug(root.path(), (at + 2) % 4, place, model, &format!("GPU-{at}f3c1a2b-0000-4000-8000-00000000000{at}"));
        }
        root
    }

    fn of(root: &tempfile::TempDir, variables: &[(&str, &str)]) -> Visible {
        visible(&System::made_up(root.path(), variables), &[])
    }

    fn places(places: &[&str]) -> Visible {
        Visible::Only(places.iter().map(|place| Pci::parse(place).unwrap()).collect())
    }

    fn unclear(found: Visible, part: &str) {
        assert!(matches!(&found, Visible::Unclear(reason) if reason.contains(part)), "{found:?}");
    }

    #[test]
    fn entries_of_equal_cards_are_places_in_the_order_of_the_bus() {
        let node = node(["NVIDIA H200"; 4]);
        assert_eq!(of(&node, &[]), Visible::All);
        for (entries, expected) in [
            ("2", &["86:00"][..]),
            ("3,0", &["0001:01:00.0", "1b:00"]),
            (" 1, 2 ", &["3b:00", "86:00"]),
            ("1,-1,2", &["3b:00"]),
            ("GPU-2f3c1a2b", &["86:00"]),
            ("gpu-3f3c1a2b-0000-4000-8000-000000000003,GPU-0f", &["0001:01:00.0", "1b:00"]),
        ] {
            let found = of(&node, &[(VISIBLE, entries)]);
            let (Visible::Only(found), Visible::Only(expected)) = (found, places(expected)) else {
                panic!("{entries}")
            };
            assert!(
                found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| a.agrees(b)),
                "{entries}"
            );
        }
        for none in ["", "-1", "NoDevFiles", " "] {
            assert_eq!(of(&node, &[(VISIBLE, none)]), places(&[]), "{none:?}");
        }
    }

    #[test]
    fn numbers_of_cards_that_differ_need_an_order() {
        let node = node(["NVIDIA H200", "NVIDIA RTX A4000", "NVIDIA H200", "NVIDIA H200"]);
        unclear(of(&node, &[(VISIBLE, "1")]), "CUDA_DEVICE_ORDER=PCI_BUS_ID");
        unclear(of(&node, &[(VISIBLE, "1"), (ORDER, "FASTEST_FIRST")]), "fastest first");
        assert_eq!(of(&node, &[(VISIBLE, "1"), (ORDER, "PCI_BUS_ID")]), places(&["0000:3b:00.0"]));
        assert_eq!(of(&node, &[(VISIBLE, "GPU-1f")]), places(&["0000:3b:00.0"]));
    }

    #[test]
    fn what_names_no_card_is_unclear() {
        let node = node(["NVIDIA H200"; 4]);
        unclear(of(&node, &[(VISIBLE, "4")]), "there are 4 NVIDIA cards");
        unclear(of(&node, &[(VISIBLE, "GPU-9")]), "has that UUID");
        unclear(of(&node, &[(VISIBLE, "GPU-")]), "several cards");
        unclear(of(&node, &[(VISIBLE, "MIG-3b1f5c1e-0000-5000-8000-000000000000")]), "MIG");
        unclear(of(&node, &[(VISIBLE, "all")]), "neither an index nor a UUID");
        // Nothing is known of cards.
        let bare = tempfile::tempdir().unwrap();
        unclear(of(&bare, &[(VISIBLE, "0")]), "no NVIDIA card says where");
    }

    #[test]
    fn a_job_counts_the_cards_that_it_may_open() {
        // A control group leaves two of the four; CUDA numbers these from 0.
        let node = node(["NVIDIA H200"; 4]);
        for minor in [2, 0] {
            std::fs::remove_file(node.path().join(format!("dev/nvidia{minor}"))).unwrap();
        }
        assert_eq!(of(&node, &[(VISIBLE, "0")]), places(&["0000:3b:00.0"]));
        assert_eq!(of(&node, &[(VISIBLE, "1")]), places(&["0001:01:00.0"]));
    }

    #[test]
    fn adapters_stand_for_cards_where_the_driver_does_not_list_them() {
        let bare = tempfile::tempdir().unwrap();
        let listed =
            [("0000:86:00.0", "vulkan"), ("0000:3b:00.0", "vulkan"), ("0000:86:00.0", "gl")].map(|(place, backend)| {
                AdapterFacts { backend: backend.to_owned(), ..AdapterFacts::made_up("NVIDIA H200", place) }
            });
        let found = visible(&System::made_up(bare.path(), &[(VISIBLE, "1")]), &listed);
        assert_eq!(found, places(&["0000:86:00.0"]));
    }
}
