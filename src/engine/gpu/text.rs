//! Lines of generated shader text.

pub fn function(text: &mut String, signature: &str, body: impl FnOnce(&mut String)) {
    line(text, 0, &format!("\nfn {signature} {{"));
    body(text);
    line(text, 0, "}");
}

/// One line for each of `n` assets, inside a function.
pub fn each(text: &mut String, n: usize, statement: impl Fn(usize) -> String) {
    for i in 0..n {
        line(text, 1, &statement(i));
    }
}

pub fn line(text: &mut String, indent: usize, content: &str) {
    text.extend(std::iter::repeat_n("    ", indent));
    text.push_str(content);
    text.push('\n');
}
