//! Symbols that a source file defines: functions, types, constants, modules, by the words their lines begin with.

use serde::{Deserialize, Serialize};

use super::{Language, MAXIMUM_LINE, number, word};

/// More symbols are not kept of one file.
const MAXIMUM: usize = 2_000;
/// Longer names are no names.
const MAXIMUM_NAME: usize = 80;

/// A symbol where it is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name, without what it belongs to.
    pub name: String,
    /// Its line, from 1.
    pub line: u32,
}

/// Words that may stand before the word that says what is defined.
const MODIFIERS: &str = " pub async unsafe extern default export declare abstract public private protected internal \
static final override open sealed data inline suspend const virtual partial readonly mutating fileprivate indirect \
actual expect inner lateinit operator infix tailrec external new ";

fn keywords(language: Language) -> &'static str {
    match language {
        Language::Rust => " fn struct enum trait union type const static mod ",
        Language::Script => " function class interface enum type namespace const let var ",
        Language::Python => " def class ",
        Language::Go => " func type ",
        Language::Curly => " class interface enum record object fun trait struct namespace delegate ",
        Language::C => " struct class enum union namespace ",
        Language::Ruby => " def class module ",
        Language::Swift => " func class struct enum protocol actor typealias extension ",
        Language::Shell => " function ",
        Language::Php => " function class interface trait enum ",
        Language::Interface => {
            " message service enum rpc interface record variant resource world type input union "
        }
        Language::Build => "",
    }
}

/// The symbols that `text` defines.
pub(crate) fn read(language: Language, text: &str) -> Vec<Definition> {
    let keywords = keywords(language);
    let mut found: Vec<Definition> = Vec::new();
    if language == Language::Build {
        return found;
    }
    for (above, line) in text.lines().enumerate() {
        if line.len() > MAXIMUM_LINE || found.len() >= MAXIMUM {
            continue;
        }
        let Some(name) = named(language, keywords, line) else { continue };
        if name.len() <= MAXIMUM_NAME && name.chars().any(char::is_alphabetic) {
            found.push(Definition { name: name.to_owned(), line: number(above) });
        }
    }
    found
}

/// What a line defines.
fn named<'a>(language: Language, keywords: &str, line: &'a str) -> Option<&'a str> {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    if body.is_empty() || body.starts_with(['/', '*', '#', '"', '\'', '-']) && !body.starts_with("#define ") {
        return None;
    }
    if let Some(rest) = body.strip_prefix("#define ") {
        return non_empty(word(rest.trim_start(), ""));
    }
    if let Some(rest) = body.strip_prefix("macro_rules! ") {
        return non_empty(word(rest, ""));
    }
    let (keyword, rest) = after_modifiers(body, keywords);
    match (language, keyword) {
        (Language::Shell, None) => {
            body.find("()").map(|end| body[..end].trim_end()).filter(|name| is_name(name))
        }
        (Language::Curly | Language::C, None) => method(language, line, indent),
        (_, None) => None,
        // Only constants at the top are symbols that others name.
        (Language::Script, Some("const" | "let" | "var")) if indent > 0 => None,
        (Language::Go, Some("func")) if rest.starts_with('(') => {
            let after = rest.split_once(')')?.1;
            non_empty(word(after.trim_start(), ""))
        }
        (Language::C, Some(_)) => {
            let rest = ["class ", "struct "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
            let name = word(rest, "");
            let after = rest[name.len()..].trim_start();
            let is_definition =
                after.is_empty() || after.starts_with(['{', ':']) || after.starts_with("final");
            non_empty(name).filter(|_| is_definition).or_else(|| method(language, line, indent))
        }
        (Language::Ruby, Some("def")) => {
            let rest = rest.strip_prefix("self.").unwrap_or(rest);
            non_empty(word(rest, "?!"))
        }
        (Language::Interface, Some(_)) => non_empty(word(rest.trim_start_matches('%'), "-")),
        // `const fn`, `const enum`: another keyword follows.
        (_, Some("const" | "static" | "enum" | "type" | "data")) => {
            let (second, after) = after_modifiers(rest, keywords);
            let rest = if second.is_some() { after } else { rest };
            non_empty(word(rest.trim_start_matches("mut "), "$"))
        }
        (Language::Script | Language::Php, Some(_)) => {
            non_empty(word(rest.trim_start_matches(['*', ' ', '&']), "$"))
        }
        (_, Some(_)) => non_empty(word(generic_parameters(rest), "")),
    }
}

/// `fun <T> name`: what follows the parameters.
fn generic_parameters(rest: &str) -> &str {
    if !rest.starts_with('<') {
        return rest;
    }
    rest.split_once('>').map_or(rest, |(_, after)| after.trim_start())
}

/// The keyword a line begins with after any modifiers, and what follows it.
fn after_modifiers<'a>(body: &'a str, keywords: &str) -> (Option<&'a str>, &'a str) {
    let mut rest = body;
    loop {
        let first = word(rest, "");
        let after = &rest[first.len()..];
        let is_one_of = |list: &str| !first.is_empty() && list.split(' ').any(|one| one == first);
        if is_one_of(keywords) && after.starts_with([' ', '\t', '*', '<']) {
            return (Some(first), after.trim_start());
        }
        if !is_one_of(MODIFIERS) {
            return (None, body);
        }
        // `pub(crate)`, `extern "C"`.
        let after = after.trim_start();
        let after = match after.chars().next() {
            Some('(') => after.split_once(')').map_or("", |(_, after)| after),
            Some('"') => after[1..].split_once('"').map_or("", |(_, after)| after),
            _ => after,
        };
        rest = after.trim_start();
        if rest.is_empty() {
            return (None, body);
        }
    }
}

/// A method or function without a keyword: `public Foo bar(int x) {`, at the begin of a line in C.
fn method(language: Language, line: &str, indent: usize) -> Option<&str> {
    let body = line.trim();
    let open = body.find('(')?;
    let head = &body[..open];
    let is_statement =
        body.ends_with(';') || head.contains(['=', '.', '"', '!', '?', ',', '{']) || head.contains("->");
    if is_statement
        || language == Language::C && indent > 0
        || language == Language::Curly && !body.ends_with('{')
    {
        return None;
    }
    let name = head.rsplit([' ', '*', '&', ':', '\t']).next()?;
    let before = head[..head.len() - name.len()].trim();
    let no_definition =
        ["return", "else", "new", "throw", "await", "case", "if", "while", "for", "switch", "catch"];
    let first = word(before, "");
    (is_name(name) && !before.is_empty() && !no_definition.contains(&first) && !no_definition.contains(&name))
        .then_some(name)
}

fn is_name(name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    name.starts_with(|first: char| first.is_alphabetic() || first == '_') && name.chars().all(is_part)
}

fn non_empty(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(language: Language, text: &str) -> Vec<String> {
        read(language, text).into_iter().map(|definition| definition.name).collect()
    }

    #[test]
    fn rust() {
        let text = "pub(crate) async fn decide(x: u8) {\n    let a = b;\n}\npub struct RunState;\nimpl X for Y {\n    \
                    pub const fn size() {}\n}\npub const LIMIT: u8 = 1;\npub unsafe extern \"C\" fn call() {}\n\
                    macro_rules! plugin {\n// fn no() \nmod inner;\nuse a::b;\nstatic mut COUNT: u8 = 0;";
        assert_eq!(
            names(Language::Rust, text),
            ["decide", "RunState", "size", "LIMIT", "call", "plugin", "inner", "COUNT"]
        );
    }

    #[test]
    fn typescript_and_javascript() {
        let text = "export default async function* run(a) {\nexport abstract class Store {\n  const inner = 1;\n\
                    export const parse = (x) => x;\nexport type Id = string;\nexport const enum Kind {\ninterface A {}";
        assert_eq!(names(Language::Script, text), ["run", "Store", "parse", "Id", "Kind", "A"]);
    }

    #[test]
    fn python_go_and_ruby() {
        assert_eq!(
            names(Language::Python, "class A(B):\n    async def run(self):\n# def no\nx = 1"),
            ["A", "run"]
        );
        let go = "func Start(x int) error {\nfunc (s *Server) Stop() {\ntype Config struct {\nvar x = 1";
        assert_eq!(names(Language::Go, go), ["Start", "Stop", "Config"]);
        assert_eq!(names(Language::Ruby, "module A\n  class B < C\n    def self.ok?(x)"), ["A", "B", "ok?"]);
    }

    #[test]
    fn java_kotlin_c_sharp_and_swift() {
        let java = "public final class Store {\n  private static int count(List<String> x) {\n    return f(x);\n    \
                    if (a) {\n    call(x);\n  }\n  void run() {\n";
        assert_eq!(names(Language::Curly, java), ["Store", "count", "run"]);
        assert_eq!(
            names(Language::Curly, "data class User(val a: Int)\ninline fun <T> go(x: T) {"),
            ["User", "go"]
        );
        assert_eq!(names(Language::Curly, "public async Task<int> RunAsync(int x) {"), ["RunAsync"]);
        assert_eq!(
            names(Language::Swift, "public struct A {\n  mutating func move(to x: Int) {\n@objc protocol"),
            ["A", "move"]
        );
    }

    #[test]
    fn c_shell_and_interfaces() {
        let c = "#define LIMIT 3\nstruct run {\nstruct run *make(void);\nint main(int argc)\n{\n  call(x);\n}\n\
                 static void Store::save(const A &a) {\nenum class Kind { A };";
        assert_eq!(names(Language::C, c), ["LIMIT", "run", "main", "save", "Kind"]);
        assert_eq!(
            names(Language::Shell, "build_all() {\nfunction clean {\necho \"x()\""),
            ["build_all", "clean"]
        );
        let wit = "interface process {\n    record exit-status {\n    spawn: func();\n    variant %event {";
        assert_eq!(names(Language::Interface, wit), ["process", "exit-status", "event"]);
    }

    #[test]
    fn garbage_defines_nothing_much() {
        for language in [Language::Rust, Language::C, Language::Go, Language::Curly, Language::Shell] {
            let _ = read(language, "fn\nfunc (\npub(\nextern \"\n((((\n()\n\u{1f600}(){\nfunc ()\nstruct\n");
        }
        assert!(read(Language::Rust, &format!("fn {}() {{}}", "x".repeat(500))).is_empty());
    }
}
