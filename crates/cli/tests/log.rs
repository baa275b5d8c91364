//! Runs `publish --log` with the real binary: kills it at random moments, lets witnesses fail to answer, and has two
//! witnesses cosign.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hashgate::digest::Sha256Digest;
use tempfile::TempDir;

const HASHGATE: &str = env!("CARGO_BIN_EXE_hashgate");

fn command(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(HASHGATE);
    command.args(args.split_whitespace()).current_dir(folder).env_remove("SOURCE_DATE_EPOCH");
    command
}

/// Runs a command. Returns its exit code and everything that it printed.
fn run(folder: &Path, args: &str) -> (i32, String) {
    let Output { status, stdout, stderr } = command(folder, args).output().unwrap();
    (status.code().unwrap(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

fn done(folder: &Path, args: &str) -> String {
    let (code, said) = run(folder, args);
    assert_eq!(code, 0, "{args}: {said}");
    said
}

/// A running witness. It is killed when this value is dropped.
struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn witness(folder: &Path, number: usize) -> Running {
    let args = format!("witness --key w{number}.key --state w{number} --log log.key.pub --listen 127.0.0.1:0");
    let mut child = command(folder, &args).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Running { child, url: line.trim().strip_prefix("listening on ").unwrap().to_owned() }
}

/// Keys of a list, of its log and of two witnesses, and a list.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), "keygen --out list.key --name example.org/list");
    done(folder.path(), "keygen --out log.key --name example.org/log");
    done(folder.path(), "keygen --witness --out w1.key --name one.example");
    done(folder.path(), "keygen --witness --out w2.key --name two.example");
    list(folder.path(), 0);
    folder
}

/// Writes a list of 20 digests. Each `number` gives other digests.
fn list(folder: &Path, number: u32) {
    let lines: String = (0..20)
        .map(|n| format!("{},sha256\n", Sha256Digest::of(&[number + n, number].map(u32::to_le_bytes).concat())))
        .collect();
    fs::write(folder.join("list.csv"), format!("hash,type\n{lines}")).unwrap();
}

fn policy(folder: &Path, threshold: usize, urls: [&str; 2]) {
    let key = |number| fs::read_to_string(folder.join(format!("w{number}.key.pub"))).unwrap();
    let lines = (1..=2).map(|number| format!("witness w{number} {} {}\n", key(number).trim(), urls[number - 1]));
    fs::write(folder.join("policy"), format!("{}group g {threshold} w1 w2\nquorum g\n", lines.collect::<String>()))
        .unwrap();
}

const PUBLISH: &str = "publish list.csv --dir out --key list.key --name Demo --category drawn --log out/log --log-key log.key --log-policy policy";
const VERIFY: &str = "verify --manifest out/manifest.txt --trust list.key.pub --dir out --proof out/manifest.tlog-proof --log-key log.key.pub \
     --log-policy policy";
const MONITOR: &str =
    "monitor out/log --log-key log.key.pub --log-policy policy --trust list.key.pub --list out --state seen";

/// Verifies the current release as a reader does. `publish` writes the new proof before the new manifest; if it is
/// killed between the two, the current manifest's proof is found under the name with the release number.
fn verify_as_readers_do(folder: &Path) -> (i32, String) {
    let (code, said) = run(folder, VERIFY);
    if code != 30 {
        return (code, said);
    }
    let manifest = fs::read_to_string(folder.join("out/manifest.txt")).unwrap();
    let release = manifest.lines().find_map(|line| line.strip_prefix("release ")).unwrap();
    run(folder, &VERIFY.replace("out/manifest.tlog-proof", &format!("out/manifest-{release}.tlog-proof")))
}

#[test]
fn killed_at_any_moment_a_log_goes_on_and_contradicts_nothing() {
    let folder = folder();
    let folder = folder.path();
    let one = witness(folder, 1);
    policy(folder, 1, [&one.url, "http://127.0.0.1:1"]);
    let start = Instant::now();
    done(folder, PUBLISH);
    let whole = start.elapsed();
    let mut killed = 0;
    for number in 1..=50_u32 {
        list(folder, number);
        let mut child = command(folder, PUBLISH).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Kills `publish` after a share of its usual time. Steps of the golden ratio spread the shares evenly from 0 to
        // 1.1.
        let share = f64::from(number) * 0.618_034 % 1.0 * 1.1;
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * share));
        killed += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        // Readers must get a complete release after each kill, and it must not contradict the earlier ones.
        let (code, said) = verify_as_readers_do(folder);
        assert_eq!(code, 0, "after {number}: {said}");
        if number % 10 == 0 {
            done(folder, PUBLISH);
            done(folder, VERIFY);
            let said = done(folder, MONITOR);
            assert!(said.contains("nothing contradicts itself"), "{said}");
        }
    }
    assert!(killed >= 25, "only {killed} of 50 were killed before they had ended");
    // The witness remembers every checkpoint that it cosigned. It still agrees with the log.
    let said = done(folder, PUBLISH);
    assert!(said.contains("cosigned by 1 of 2 witnesses"), "{said}");
}

#[test]
fn a_release_that_too_few_witnesses_saw_waits_and_is_finished_later() {
    let folder = folder();
    let folder = folder.path();
    let one = witness(folder, 1);
    policy(folder, 2, [&one.url, "http://127.0.0.1:1"]);
    let (code, said) = run(folder, PUBLISH);
    assert!(code == 2 && said.contains("expected 2 of 2 to cosign, got 1"), "{said}");
    assert!(!folder.join("out/manifest.txt").exists() && folder.join("out/log/checkpoint").exists());
    let two = witness(folder, 2);
    policy(folder, 2, [&one.url, &two.url]);
    list(folder, 1);
    let said = done(folder, PUBLISH);
    assert!(said.contains("release 1 is in the log and not current: finishing it first"), "{said}");
    assert!(said.contains("published release 2"), "{said}");
    let said = done(folder, VERIFY);
    assert!(
        said.contains("log          entry 1 of 2 of example.org/log") && said.contains("one.example; two.example"),
        "{said}"
    );
    let proof = fs::metadata(folder.join("out/manifest.tlog-proof")).unwrap().len();
    assert!(proof < 2000, "{proof} bytes");
    // Verification with another release's proof, another origin, another log key or other witnesses.
    let verify = |args: &str| run(folder, &VERIFY.replace("--log-policy policy", args)).0;
    assert_eq!(run(folder, &VERIFY.replace("out/manifest.tlog-proof", "out/manifest-1.tlog-proof")).0, 30);
    assert_eq!((verify("--origin another"), verify("--witness w1.key.pub w2.key.pub --witness-threshold 2")), (26, 0));
    assert_eq!(
        run(folder, &VERIFY.replace("--log-key log.key.pub --log-policy policy", "--log-key list.key.pub")).0,
        26
    );
    // Once a list is logged, a release without the log is refused.
    let (code, said) = run(folder, "publish list.csv --dir out --key list.key --name Demo --category drawn");
    assert!(code == 2 && said.contains("give --log and --log-key"), "{said}");
    assert!(
        run(folder, "cosign out/manifest-2.txt --key log.key")
            .1
            .contains("expected a release that isn't in the log yet")
    );
    fs::remove_dir_all(folder.join("out/log/tile/entries")).unwrap();
    assert!(run(folder, PUBLISH).1.contains("tile/entries"), "a damaged log is not gone on with");
}

#[test]
fn two_organisations_log_what_both_have_signed() {
    let folder = folder();
    let folder = folder.path();
    done(folder, "keygen --out second.key --name example.org/second");
    done(folder, "publish list.csv --dir out --key list.key --name Demo --category drawn --pending");
    assert!(!folder.join("out/log").exists());
    let cosign =
        "cosign out/manifest-1.txt --key second.key --rebuild list.csv --current --log out/log --log-key log.key";
    done(folder, cosign);
    done(folder, cosign);
    let said = done(
        folder,
        "verify --manifest out/manifest.txt --trust list.key.pub second.key.pub --threshold 2 --proof out/manifest.tlog-proof \
         --log-key log.key.pub",
    );
    assert!(said.contains("entry 0 of 1 of example.org/log") && said.contains("example.org/second"), "{said}");
    let said = done(folder, "monitor out/log --log-key log.key.pub --trust list.key.pub second.key.pub --threshold 2");
    assert!(said.contains("signed by example.org/list, example.org/second"), "{said}");
}

#[test]
fn who_decides_is_said_again_with_each_release_until_it_changes() {
    let folder = folder();
    let folder = folder.path();
    let publish = "publish list.csv --dir public --key list.key --name list --category drawn";
    done(folder, &format!("{publish} --policy https://example.org/policy --appeals mailto:us@example.org"));
    list(folder, 1);
    done(folder, &format!("{publish} --policy https://example.org/new-policy"));
    let said = done(folder, "verify --manifest public/manifest.txt --trust list.key.pub");
    assert!(said.contains("https://example.org/new-policy"), "{said}");
    assert!(said.contains("mailto:us@example.org"), "{said}");
}
