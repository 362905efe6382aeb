//! The README's walk-through, command by command: what it prints is what the README says. Times, keys and ports are not
//! compared, and `…` stands for anything.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use stagecall_tests::harness::{free_port, soon, stagecall};

const README: &str = include_str!("../../../README.md");

/// A command of the README, and what it prints there.
struct Step {
    command: String,
    expected: String,
}

fn steps() -> Vec<Step> {
    let walk = README
        .split_once("<!-- walk-through -->")
        .and_then(|(_, rest)| rest.split_once("<!-- end -->"))
        .expect("the README has a walk-through")
        .0;
    let mut steps: Vec<Step> = Vec::new();
    let blocks = walk.split("```console\n").skip(1);
    for line in blocks.flat_map(|block| block.split("```").next().unwrap().lines()) {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                expected: String::new(),
            });
        } else {
            let last = steps.last_mut().unwrap();
            last.expected += line;
            last.expected.push('\n');
        }
    }
    steps
}

/// The text with times, keys and ports made alike.
fn normal(text: &str, ports: &[(u16, u16)]) -> String {
    let mut text = text.to_owned();
    for (is, shown) in ports {
        text = text.replace(&format!("127.0.0.1:{is}"), &format!("127.0.0.1:{shown}"));
    }
    let mut normal = String::new();
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        let length = if is_time(rest) {
            normal += "TIME";
            19
        } else if is_key(rest) && !normal.ends_with(|before: char| before.is_ascii_hexdigit()) {
            normal += "KEY";
            32
        } else {
            normal.push(next);
            next.len_utf8()
        };
        rest = &rest[length..];
    }
    normal.trim().to_owned()
}

/// `2026-11-22 08:46:32`
fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00 00:00:00";
    text.len() >= SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(is, shape)| match shape {
            b'0' => is.is_ascii_digit(),
            sign => is == *sign,
        })
}

fn is_key(text: &str) -> bool {
    text.len() >= 32 && text.bytes().take(32).all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is as expected, where `…` stands for anything.
fn fits(expected: &str, text: &str) -> bool {
    let mut pieces = expected.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece.trim_matches('\n')) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last.trim_matches('\n'))
}

/// A background process. Dropping it kills it.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell for the README's commands.
struct Shell {
    folder: PathBuf,
    path: String,
    exported: Vec<(String, String)>,
    ports: Vec<(u16, u16)>,
    background: Vec<Background>,
}

impl Shell {
    fn new(folder: &Path) -> Self {
        let program = stagecall().get_program().to_owned();
        let programs = Path::new(&program).parent().unwrap().display().to_string();
        let [sandbox, listener] = [free_port().port(), free_port().port()];
        Self {
            folder: folder.to_owned(),
            path: format!("{programs}:{}", std::env::var("PATH").unwrap()),
            exported: Vec::new(),
            ports: vec![(sandbox, 7070), (listener, 7071)],
            background: Vec::new(),
        }
    }

    fn shell(&self, command: &str) -> Command {
        let mut command = command.to_owned();
        for (is, shown) in &self.ports {
            command = command.replace(&format!("127.0.0.1:{shown}"), &format!("127.0.0.1:{is}"));
        }
        // Where the sandbox is, is the one thing that a reader need not say.
        let command = command.replacen(
            "stagecall sandbox",
            &format!("stagecall sandbox --port {}", self.ports[0].0),
            1,
        );
        let mut shell = Command::new("sh");
        shell
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .envs(self.exported.iter().cloned())
            .arg("-c")
            .arg(command)
            .stdin(Stdio::null());
        shell
    }

    /// What a command prints, all at once or as soon as it is what is expected.
    async fn printed(&mut self, step: &Step) -> String {
        let command = step.command.as_str();
        if let Some(variables) = command.strip_prefix("export ") {
            let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            self.exported
                .extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            return String::new();
        }
        if let Some(command) = command.strip_suffix('&') {
            let out = self.folder.join(format!("out{}", self.background.len()));
            let child = self
                .shell(&format!("exec {command}"))
                .stdout(File::create(&out).unwrap())
                .spawn()
                .unwrap();
            self.background.push(Background(child));
            return self
                .until(step, || std::fs::read_to_string(&out).unwrap())
                .await;
        }
        let once = || {
            let done = self.shell(command).output().unwrap();
            let error = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "{command}: {error}");
            String::from_utf8(done.stdout).unwrap()
        };
        // Commands that only show are repeated until the output matches. Commands with an effect run once.
        let looks = [
            "stagecall map list",
            "stagecall sandbox show",
            "stagecall explain",
        ];
        if looks.iter().any(|look| command.starts_with(look)) {
            self.until(step, once).await
        } else {
            once()
        }
    }

    async fn until(&self, step: &Step, look: impl Fn() -> String) -> String {
        let right = |text: &String| fits(&normal(&step.expected, &[]), &normal(text, &self.ports));
        soon(async || Some(look()).filter(right))
            .await
            .unwrap_or_else(look)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_walk_through_prints_what_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Shell::new(folder.path());
    let steps = steps();
    assert!(steps.len() > 12, "{} steps", steps.len());
    for step in &steps {
        let printed = shell.printed(step).await;
        let (expected, printed) = (normal(&step.expected, &[]), normal(&printed, &shell.ports));
        assert!(
            fits(&expected, &printed),
            "$ {}\n-- the README says:\n{expected}\n-- it is:\n{printed}\n-- the host's log:\n{}",
            step.command,
            std::fs::read_to_string(folder.path().join("serve.log")).unwrap_or_default()
        );
    }
}

#[test]
fn what_differs_is_noticed() {
    assert!(fits("a…c", "abc") && fits("abc", "abc") && fits("…\nb\n…", "a\nb\nc"));
    assert!(!fits("a…d", "abc") && !fits("abc", "abcd") && !fits("…x…", "abc"));
    let ports = [(41234, 7070)];
    assert_eq!(
        normal(
            "at 2026-11-22 08:46:32 http://127.0.0.1:41234/ 177516fdd8978d93a2e0814d3c2303df",
            &ports
        ),
        "at TIME http://127.0.0.1:7070/ KEY"
    );
}
