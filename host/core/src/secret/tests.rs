//! What is masked, what is not, and that no way of splitting a text brings a value back.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const KEY: &str = "s3cr3t/K\"ey+42 ä";

fn secrets() -> Secrets {
    Secrets::new([("REVIEW_KEY", KEY), ("SHORT", "abc")])
}

/// Any bytes in base64, for the tests: by the book, group by group.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(alphabet[(number >> (18 - 6 * place) & 63) as usize]));
        }
        text.push_str(&"=".repeat(3 - group.len()));
    }
    text
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[test]
fn a_value_is_replaced_by_its_name_in_every_spelling() {
    let secrets = secrets();
    assert_eq!(secrets.mask(&format!("key={KEY};")), "key=•••[REVIEW_KEY];");
    assert_eq!(secrets.mask(r#"{"key":"s3cr3t/K\"ey+42 ä"}"#), r#"{"key":"•••[REVIEW_KEY]"}"#);
    assert_eq!(secrets.mask(r#"{"key":"s3cr3t\/K\"ey+42 ä"}"#), r#"{"key":"•••[REVIEW_KEY]"}"#);
    assert_eq!(secrets.mask("?k=s3cr3t%2FK%22ey%2B42%20%C3%A4&x"), "?k=•••[REVIEW_KEY]&x");
    assert_eq!(secrets.mask("?k=s3cr3t%2fK%22ey%2b42+%c3%a4&x"), "?k=•••[REVIEW_KEY]&x");
    assert_eq!(secrets.mask("nothing of it: s3cr3t, abc"), "nothing of it: s3cr3t, abc");
    assert_eq!(secrets.mask(&format!("{KEY}{KEY}")), "•••[REVIEW_KEY]•••[REVIEW_KEY]");
    assert!(!format!("{secrets:?}").contains("s3cr3t"), "{secrets:?}");
}

#[test]
fn short_and_empty_values_mask_nothing() {
    let secrets = Secrets::new([("A", ""), ("B", "12345"), ("C", "  12345\n")]);
    assert!(secrets.is_empty());
    assert_eq!(secrets.mask("12345"), "12345");
    assert_eq!(Secrets::new([("A", " 123456\n")]).mask("x123456y"), "x•••[A]y");
}

#[test]
fn of_two_values_one_within_the_other_nothing_is_left() {
    let secrets = Secrets::new([("INNER", "cdefgh"), ("OUTER", "abcdefghij"), ("OVER", "ghijklmn")]);
    assert_eq!(secrets.mask("-abcdefghijklmn-"), "-•••[OUTER]-");
    assert_eq!(secrets.mask("-cdefgh-"), "-•••[INNER]-");
}

#[test]
fn values_are_masked_throughout_json() {
    let secrets = Secrets::new([("TEXT", "hidden-text"), ("DIGITS", "12345678")]);
    let mut value = json!({ "hidden-text": ["x hidden-text", { "n": 12_345_678, "m": 1 }], "ok": true });
    secrets.mask_json(&mut value);
    assert_eq!(value, json!({ "•••[TEXT]": ["x •••[TEXT]", { "n": "•••[DIGITS]", "m": 1 }], "ok": true }));
    assert_eq!(
        value.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["•••[TEXT]".to_owned(), "ok".to_owned()]),
        "the order of fields stays"
    );
}

#[test]
fn a_value_of_several_lines_is_masked_however_it_is_broken() {
    let secrets = Secrets::new([("PEM", "-----BEGIN-----\nMIIabc\nqrs\n-----END-----\n")]);
    let masked = secrets.mask("a -----BEGIN-----\r\nMIIabc\r\nqrs\r\n-----END----- b");
    assert_eq!(masked, "a •••[PEM]\r\n•••[PEM]\r\n•••[PEM]\r\n•••[PEM] b");
    assert_eq!(secrets.mask(r#""-----BEGIN-----\nMIIabc\nqrs\n-----END-----\n""#), r#""•••[PEM]\n""#);
}

#[test]
fn a_value_over_two_lines_is_masked_in_both_and_nothing_is_held_back() {
    let mut stream = secrets().stream();
    assert_eq!(stream.line("the key is s3cr3t/K"), "the key is •••[REVIEW_KEY]");
    assert_eq!(stream.line("\"ey+42 ä and so on"), "•••[REVIEW_KEY] and so on");
    assert_eq!(stream.line("and an s"), "and an s");
    assert_eq!(stream.line("ilent line"), "ilent line");
}

#[test]
fn the_ways_in_which_languages_write_json_and_addresses_do_not_hide_a_value() {
    const ODD: &str = "a/b'c&d<e>f+g \"h\" \u{e4}\u{1f980}!*()~";
    let secrets = Secrets::new([("K", ODD)]);
    for (writer, text) in [
        ("Python, json.dumps", r#"a/b'c&d<e>f+g \"h\" \u00e4\ud83e\udd80!*()~"#),
        ("PHP, json_encode", r#"a\/b'c&d<e>f+g \"h\" \u00e4\ud83e\udd80!*()~"#),
        ("Go, json.Marshal", "a/b'c\\u0026d\\u003ce\\u003ef+g \\\"h\\\" ä🦀!*()~"),
        (
            ".NET, JsonSerializer",
            r"a/b\u0027c\u0026d\u003Ce\u003Ef\u002Bg \u0022h\u0022 \u00E4\uD83E\uDD80!*()~",
        ),
        ("JSON in JSON", r#"a/b'c&d<e>f+g \\\"h\\\" ä🦀!*()~"#),
        ("Python's in JSON", r#"a/b'c&d<e>f+g \\\"h\\\" \\u00e4\\ud83e\\udd80!*()~"#),
        ("RFC 3986", "a%2Fb%27c%26d%3Ce%3Ef%2Bg%20%22h%22%20%C3%A4%F0%9F%A6%80%21%2A%28%29~"),
        ("Python, quote", "a/b%27c%26d%3Ce%3Ef%2Bg%20%22h%22%20%C3%A4%F0%9F%A6%80%21%2A%28%29~"),
        ("encodeURIComponent", "a%2Fb'c%26d%3Ce%3Ef%2Bg%20%22h%22%20%C3%A4%F0%9F%A6%80!*()~"),
        ("encodeURI", "a/b'c&d%3Ce%3Ef+g%20%22h%22%20%C3%A4%F0%9F%A6%80!*()~"),
        ("xxd -p", "612f62276326643c653e662b6720226822 20c3a4f09fa680212a28297e"),
    ] {
        let text = text.replace("6822 20", "682220");
        assert_eq!(secrets.mask(&format!("[{text}]")), "[•••[K]]", "{writer}");
    }
}

#[test]
fn a_value_that_an_agent_says_in_pieces_is_masked_in_each() {
    let key = "QRSTUVWXYZ-QSUWYRTVXZ";
    let secrets = Secrets::new([("K", key)]);
    let event = |text: &str| json!({ "type": "delta", "item": { "text": text } }).to_string();
    for size in 1..8 {
        let said: Vec<char> = format!("the key is {key}, I think").chars().collect();
        let lines: Vec<String> =
            said.chunks(size).map(|piece| event(&piece.iter().collect::<String>())).collect();
        let mut stream = secrets.stream();
        let shown: String = lines.iter().map(|line| stream.line(line) + "\n").collect();
        let left = |shown: &str| {
            let texts =
                shown.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
            let text: String =
                texts.map(|event| event["item"]["text"].as_str().expect("text").to_owned()).collect();
            (text.matches(|letter: char| letter.is_ascii_uppercase() && letter != 'I').count(), text)
        };
        // What was said before it could be told is all that is seen.
        let (seen, text) = left(&shown.replace("•••[K]", ""));
        assert!(seen < SHORTEST && text.ends_with(", I think"), "{size}: {text}");
        let (seen, text) = left(&secrets.mask_transcript(&lines.join("\n")).replace("•••[K]", ""));
        assert_eq!((seen, text.as_str()), (0, "the key is , I think"), "{size}");
    }
}

#[test]
fn pieces_of_harmless_words_stay_as_they_are() {
    let secrets = Secrets::new([("K", "sk-live-12345678")]);
    let lines = [
        r#"{"d":"a ta"}"#,
        r#"{"d":"sk-"}"#,
        r#"{ "d": "force, sk-" }"#,
        r#"{"d":"live music"}"#,
        "no JSON: {",
    ];
    let mut stream = secrets.stream();
    for line in lines {
        assert_eq!(stream.line(line), line);
    }
    let text = lines.join("\n");
    assert_eq!(secrets.mask_transcript(&text), text);
    let mut value = json!(["sk-", "live music", ["sk-live"]]);
    let before = value.clone();
    secrets.mask_json(&mut value);
    assert_eq!(value, before);
}

#[test]
fn a_value_over_several_texts_of_a_list_is_masked_in_each() {
    let secrets = Secrets::new([("K", "sk-live-12345678")]);
    let mut value = json!({ "lines": ["a\nsk-", "live-12", 7, "345678 b\n", "c"] });
    secrets.mask_json(&mut value);
    assert_eq!(value, json!({ "lines": ["a\n•••[K]", "•••[K]", 7, "•••[K] b\n", "c"] }));
}

#[test]
fn what_was_cut_within_a_value_does_not_show_its_beginning() {
    let secrets = Secrets::new([("K", "sk-live-12345678")]);
    assert_eq!(
        secrets.mask_cut("one sk-live-1\ntwo sk-live-12345678\nthree sk-"),
        "one •••[K]\ntwo •••[K]\nthree sk-"
    );
    assert_eq!(secrets.mask_cut("one sk-live-\n12345678"), "one •••[K]\n•••[K]");
}

proptest! {
    #[test]
    fn no_spelling_at_any_place_comes_through(
        key in "[!-~]{6,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}", width in 1_usize..80,
    ) {
        let secrets = Secrets::new([("K", key.as_str())]);
        let whole = format!("{before}{key}{after}");
        prop_assert!(!secrets.mask(&whole).contains(&key) || "•••[K]".contains(&key));
        for alphabet in [STANDARD, URL] {
            let encoded = base64(whole.as_bytes(), alphabet);
            let masked = secrets.mask(&encoded);
            prop_assert!(masked.contains("•••[K]"), "{encoded} {masked}");
            // What is left of it: the neighbours, and at most a character more at either end.
            let left = masked.replace("•••[K]", "").len();
            let most = (before.len() + after.len()) * 4 / 3 + 8;
            prop_assert!(left <= most, "{left} of {most} characters left: {masked}");
            // As `base64` and mail break it.
            let broken: Vec<&str> = (0..encoded.len()).step_by(width).map(|at| &encoded[at..encoded.len().min(at + width)]).collect();
            let masked = secrets.mask(&broken.join("\n"));
            prop_assert_eq!(masked.lines().count(), broken.len());
            prop_assert!(masked.contains("•••[K]"), "{masked}");
        }
        let quoted = serde_json::to_string(&json!({ "k": whole })).expect("JSON");
        let masked = secrets.mask(&quoted);
        prop_assert!(masked.contains("•••[K]"), "{masked}");
    }

    #[test]
    fn however_lines_are_broken_no_more_than_two_bytes_of_a_value_are_seen(
        cuts in prop::collection::btree_set(0_usize..60, 0..12),
    ) {
        // Of letters that are nowhere else, so that what is left of it can be told.
        let key = "QRSTUVWXYZQSUWYRTVXZ";
        let secrets = Secrets::new([("k", key)]);
        let text = format!("some words before {key} and some words after it");
        let mut stream = secrets.stream();
        let mut shown = String::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([text.len()]).filter(|cut| *cut <= text.len()) {
            shown.push_str(&stream.line(&text[from..cut]));
            from = cut;
        }
        let left = shown.chars().filter(char::is_ascii_uppercase).count();
        prop_assert!(left <= 2, "{shown}");
        let rest: String = shown.replace("•••[k]", "").chars().filter(|c| !c.is_ascii_uppercase()).collect();
        prop_assert_eq!(rest, text.replace(key, ""));
    }

    #[test]
    fn what_has_no_value_in_it_stays_as_it_is(text in "\\PC{0,60}") {
        let secrets = Secrets::new([("K", "\u{1}never in a text\u{1}")]);
        prop_assert_eq!(secrets.mask(&text), text.clone());
        let mut stream = secrets.stream();
        prop_assert_eq!(stream.line(&text), text);
    }
}
