//! A source file, as far as it says which others it uses.

use std::collections::BTreeMap;

/// What a file uses.
#[derive(Default)]
pub struct Source {
    /// Every path in it, also those of its imports.
    pub paths: Vec<Vec<String>>,
    /// The names that it imports or exports, with their paths.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Its modules that are only there for tests.
    pub test_modules: Vec<String>,
}

impl Source {
    /// Reads a file's text.
    pub fn read(text: &str) -> Self {
        let mut reader = Reader {
            tokens: tokens(text),
            at: 0,
            source: Self::default(),
        };
        reader.read();
        reader.source
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
    source: Source,
}

impl Reader {
    /// The token that is `ahead` of the next one; empty after the last.
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn read(&mut self) {
        const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
        while self.at < self.tokens.len() {
            if (0..TEST.len()).all(|place| self.peek(place) == TEST[place]) {
                self.at += TEST.len();
                self.skip_test_item();
            } else if self.peek(0) == "use" {
                self.at += 1;
                self.import(&[]);
            } else if is_word(self.peek(0)) && self.peek(1) == "::" {
                self.path();
            } else {
                self.at += 1;
            }
        }
    }

    /// Skips an item, and notes its name if it is a module.
    fn skip_test_item(&mut self) {
        if self.peek(0) == "mod" && self.peek(2) == ";" {
            let name = self.peek(1).to_owned();
            self.source.test_modules.push(name);
        }
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            let token = self.peek(0);
            match token {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            let ends = depth == 0 && matches!(token, ";" | "}");
            self.at += 1;
            if ends {
                return;
            }
        }
    }

    /// Reads a tree of `use` that continues `path`.
    fn import(&mut self, path: &[String]) {
        let mut path = path.to_vec();
        loop {
            match self.peek(0) {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.peek(0), "}" | "") {
                        self.import(&path);
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    let name = self.peek(1).to_owned();
                    self.at += 2;
                    return self.name(name, path);
                }
                "*" => {
                    self.at += 1;
                    return self.source.paths.push(path);
                }
                word if is_word(word) => {
                    path.push(word.to_owned());
                    self.at += 1;
                }
                _ => {
                    if path.len() > 1 {
                        path.pop_if(|last| last == "self");
                    }
                    let name = path.last().cloned().unwrap_or_default();
                    return self.name(name, path);
                }
            }
        }
    }

    fn name(&mut self, name: String, path: Vec<String>) {
        self.source.paths.push(path.clone());
        self.source.imports.insert(name, path);
    }

    /// Reads a path.
    fn path(&mut self) {
        let mut path = vec![self.peek(0).to_owned()];
        self.at += 1;
        while self.peek(0) == "::" && is_word(self.peek(1)) {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        self.source.paths.push(path);
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

/// The words and signs of a text, without comments, literals and lifetimes. `::` is one sign.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphabetic() || first == '_' {
            let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_');
            let end = end.unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match raw_string(word, after) {
                Some(length) => end + length,
                None => {
                    tokens.push(word.to_owned());
                    end
                }
            }
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            // A lifetime has no second quote right after its first character.
            let second = rest[1..].chars().next().map_or(0, char::len_utf8);
            let is_char = rest[1..].starts_with('\\') || rest[1 + second..].starts_with('\'');
            if is_char {
                quoted(rest, '\'')
            } else {
                1 + second
            }
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a quoted text.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, char) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == quote {
            return place + 1;
        }
    }
    text.len()
}

/// The length of the raw text that `word` begins, from after it.
fn raw_string(word: &str, after: &str) -> Option<usize> {
    if !matches!(word, "r" | "br") {
        return None;
    }
    let signs = after.len() - after.trim_start_matches('#').len();
    let inner = after[signs..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(signs));
    let length = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(signs + 1 + length)
}
