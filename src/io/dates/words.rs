//! Names of months and weekdays in the languages of Western Europe, and the small words between them.

/// The names of the months, in English first.
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "janvier", "enero", "gennaio", "janeiro", "januari", "jänner"],
    &["february", "februar", "février", "fevrier", "febrero", "febbraio", "fevereiro", "februari", "feber"],
    &["march", "märz", "maerz", "mrz", "mars", "marzo", "março", "marco", "maart", "mrt", "marts"],
    &["april", "avril", "abril", "aprile"],
    &["may", "mai", "mayo", "maggio", "maio", "mei", "maj"],
    &["june", "juni", "juin", "junio", "giugno", "junho"],
    &["july", "juli", "juillet", "julio", "luglio", "julho", "jly"],
    &["august", "août", "aout", "agosto", "augustus", "augusti"],
    &["september", "septembre", "septiembre", "settembre", "setembro", "sept"],
    &["october", "oktober", "octobre", "octubre", "ottobre", "outubro"],
    &["november", "novembre", "noviembre", "novembro"],
    &["december", "dezember", "décembre", "decembre", "diciembre", "dicembre", "dezembro"],
];
const WEEKDAYS: [&str; 49] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
    "lunedì",
    "martedì",
    "mercoledì",
    "giovedì",
    "venerdì",
    "sabato",
    "domenica",
    "segunda",
    "terça",
    "quarta",
    "quinta",
    "sexta",
    "maandag",
    "dinsdag",
    "woensdag",
    "donderdag",
    "vrijdag",
    "zaterdag",
    "zondag",
    "miercoles",
    "sabado",
];
/// Zones, and words between the parts of a date.
const FILLERS: [&str; 23] = [
    "gmt", "utc", "z", "est", "edt", "cst", "cdt", "pst", "pdt", "bst", "cet", "cest", "am", "pm", "de", "del", "of",
    "the", "st", "nd", "rd", "th", "er",
];

/// The number of the month that a word names or begins to name, in three letters or more; none where two could be meant.
pub(super) fn month(word: &str) -> Option<i16> {
    let word = word.to_lowercase();
    if word.chars().count() < 3 {
        return None;
    }
    let is = |names: &&[&str]| names.contains(&word.as_str());
    let begins = |names: &&[&str]| names.iter().any(|name| name.starts_with(&word));
    if let Some(place) = MONTHS.iter().position(is) {
        return Some(place as i16 + 1);
    }
    let mut found = (0..12).filter(|&place| begins(&MONTHS[place]));
    let first = found.next()?;
    found.next().is_none().then_some(first as i16 + 1)
}

/// A weekday, or what else may stand in a date without changing it.
pub(super) fn says_nothing(word: &str) -> bool {
    let word = word.to_lowercase();
    FILLERS.contains(&word.as_str()) || word.chars().count() >= 2 && WEEKDAYS.iter().any(|day| day.starts_with(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_told_in_many_languages() {
        for (word, number) in [
            ("Jan", 1),
            ("févr", 2),
            ("Mrz", 3),
            ("mars", 3),
            ("abr", 4),
            ("Mai", 5),
            ("giu", 6),
            ("juil", 7),
            ("ago", 8),
            ("set", 9),
            ("Okt", 10),
            ("out", 10),
            ("dic", 12),
        ] {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for word in ["ju", "jui", "ma", "x", "total"] {
            assert_eq!(month(word), None, "{word}");
        }
    }
}
