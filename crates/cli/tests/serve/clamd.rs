//! Tests clamd's protocol, with hand-written bytes and with Debian's clamdscan.

use super::check::{jpeg, pictures};
use super::support::*;

/// Starts a server, and returns it with the address at which it speaks clamd's protocol.
fn start_clamd(folder: &Path, args: &[&str]) -> (Server, SocketAddr) {
    let server = start(folder, &[&["--filter", "pictures.hgf", "--clamd", "127.0.0.1:0"], args].concat());
    let address = logged_address(&server);
    (server, address)
}

/// Returns the address that a server with `--clamd` has logged.
pub fn logged_address(server: &Server) -> SocketAddr {
    server.logged("clamd-listening", 1);
    let log = server.log.lock().unwrap().clone();
    let line = log.lines().find(|line| line.contains("clamd-listening")).unwrap();
    serde_json::from_str::<Value>(line).unwrap()["address"].as_str().unwrap().parse().unwrap()
}

/// Sends bytes, and returns all that comes back.
pub fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = stream.write_all(bytes);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8(reply).unwrap()
}

pub fn in_chunks(file: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in file.chunks(size) {
        bytes.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        bytes.extend_from_slice(chunk);
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

#[test]
fn the_protocol_is_spoken_in_all_three_forms() {
    let folder = pictures();
    let (_server, address) = start_clamd(folder.path(), &["--max-file-bytes", "300000", "--check-threads", "2"]);
    assert_eq!(talk(address, b"zPING\0"), "PONG\0");
    assert_eq!(talk(address, b"nPING\n"), "PONG\n");
    assert_eq!(talk(address, b"PING\n"), "PONG\n");
    assert!(talk(address, b"zVERSION\0").starts_with("hashgate "));
    assert!(talk(address, b"nVERSIONCOMMANDS\n").contains("| COMMANDS: PING VERSION"));
    // Live threads are all, the idle ones included: clamdtop 1.4.6 ends with a failed assertion if fewer are live than idle.
    let stats = talk(address, b"zSTATS\0");
    assert!(stats.contains("\nTHREADS: live 2  idle 2 max 2 "), "{stats}");
    assert_eq!(talk(address, b"zSCAN /etc/passwd\0"), "UNKNOWN COMMAND\0");
    let scan = |start: &[u8], file: &[u8], size| talk(address, &[start, &in_chunks(file, size)].concat());
    assert_eq!(scan(b"zINSTREAM\0", &jpeg(2, 90), 1000), "stream: OK\0");
    assert_eq!(scan(b"nINSTREAM\n", &jpeg(1, 60), 70_000), "stream: Hashgate.PossibleMatch.Pictures FOUND\n");
    assert_eq!(scan(b"zINSTREAM\0", b"words", 2), "stream: OK\0");
    let half = &jpeg(2, 90)[..9000];
    assert_eq!(scan(b"zINSTREAM\0", half, 4096), "stream: Hashgate.Unchecked.unreadable FOUND\0");
    assert_eq!(scan(b"zINSTREAM\0", &vec![0; 300_001], 65_536), "INSTREAM size limit exceeded. ERROR\0");
    let session = [b"zIDSESSION\0zPING\0zINSTREAM\0", &in_chunks(&jpeg(1, 60), 999)[..], b"zVERSION\0zEND\0"].concat();
    let replies = talk(address, &session);
    assert!(
        replies.starts_with("1: PONG\x002: stream: Hashgate.PossibleMatch.Pictures FOUND\x003: hashgate "),
        "{replies}"
    );
    // A chunk announces 4 GB, sends one byte and ends. The server must reserve no memory for it, and must still answer
    // others.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"zINSTREAM\0\xff\xff\xff\xffx").unwrap();
    drop(stream);
    assert_eq!(talk(address, b"zPING\0"), "PONG\0");
}

/// Sends the bytes that Nextcloud and Discourse send, and looks for the replies that they expect, according to their
/// sources.
#[test]
fn nextcloud_and_discourse_are_understood() {
    let folder = pictures();
    let (_server, address) = start_clamd(folder.path(), &[]);
    let (clean, listed) = (in_chunks(&jpeg(2, 90), 8192), in_chunks(&jpeg(1, 60), 2048));
    // files_antivirus 6.4.0-dev (lib/Scanner/ExternalClam.php) reads one line, and applies a rule to the line's end.
    let nextcloud = |chunks: &[u8]| talk(address, &[b"nINSTREAM\n", chunks].concat());
    assert!(nextcloud(&clean).ends_with(": OK\n"));
    let found = nextcloud(&listed);
    assert!(found.lines().count() == 1 && found.starts_with("stream: ") && found.ends_with(" FOUND\n"), "{found:?}");
    // discourse-antivirus at 3e7e9d0 (lib/discourse_antivirus/clam_av_service.rb) opens a session for each command. It
    // ends the session before it reads the reply, which goes up to the first zero byte.
    let discourse = |command: &[u8]| talk(address, &[b"zIDSESSION\0", command, b"zEND\0"].concat());
    assert_eq!(discourse(b"zPING\0"), "1: PONG\0");
    assert!(discourse(b"zVERSION\0").starts_with("1: hashgate "));
    assert_eq!(discourse(&[b"zINSTREAM\0", &clean[..]].concat()), "1: stream: OK\0");
    let found = discourse(&[b"zINSTREAM\0", &listed[..]].concat());
    assert_eq!(found, "1: stream: Hashgate.PossibleMatch.Pictures FOUND\0");
}

/// Runs clamdscan of Debian's package. Its path is in CLAMDSCAN_PATH, or else Debian's default.
#[test]
fn clamdscan_finds_what_is_listed() {
    let path = std::env::var("CLAMDSCAN_PATH").unwrap_or_else(|_| "/usr/bin/clamdscan".into());
    if !Path::new(&path).exists() {
        eprintln!("clamdscan is not installed (Debian: apt-get install clamdscan), so only the protocol was tried");
        return;
    }
    let folder = pictures();
    let (_server, address) = start_clamd(folder.path(), &[]);
    let conf = format!("TCPSocket {}\nTCPAddr {}\n", address.port(), address.ip());
    fs::write(folder.path().join("clamd.conf"), conf).unwrap();
    for (name, bytes) in [("listed.jpg", jpeg(1, 60)), ("clean.jpg", jpeg(2, 90)), ("words.txt", b"words".to_vec())] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let scan = |name: &str| {
        let args = ["--config-file=clamd.conf", "--stream", "--no-summary", name];
        let done = Command::new(&path).args(args).current_dir(folder.path()).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (code, text) = scan("listed.jpg");
    assert!(code == Some(1) && text.contains("Hashgate.PossibleMatch.Pictures FOUND"), "{code:?} {text}");
    for name in ["clean.jpg", "words.txt"] {
        let (code, text) = scan(name);
        assert!(code == Some(0) && text.contains(": OK"), "{code:?} {text}");
    }
}
