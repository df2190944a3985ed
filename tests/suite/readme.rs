//! Is what the README shows what the program prints?

use crate::run::equirisk;

#[test]
fn readme_shows_what_the_program_prints() {
    let readme = include_str!("../../README.md");
    let shown: Vec<&str> =
        readme.split("```console\n$ equirisk ").skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
    assert!(shown.len() >= 4, "the README shows {} commands", shown.len());
    for block in shown {
        let (command, output) = block.split_once('\n').unwrap();
        let printed = equirisk(&command.split_whitespace().collect::<Vec<_>>()).stdout;
        // Editors trim the ends of lines.
        let trimmed = |text: &str| text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert!(trimmed(&printed) == trimmed(output), "`equirisk {command}` in README.md should show\n{printed}");
    }
}
