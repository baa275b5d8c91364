//! Tests every form of list that is read or refused, with a text as the form's own program writes it. The table in
//! `docs/reference/lists.md` is written from here: `HASHGATE_WRITE=1 cargo test -p hashgate-cli --test cli forms`.

use super::support::*;
use serde_json::json;

/// A form of list: its name and version, a text in this form, and how many PDQ, SHA-256 and MD5 hashes are read from
/// it, or the error.
struct Form {
    name: &'static str,
    text: Vec<u8>,
    expected: Result<[u64; 3], &'static str>,
    says: &'static [&'static str],
}

fn form(name: &'static str, text: &str, expected: [u64; 3], says: &'static [&'static str]) -> Form {
    Form { name, text: filled(text).into_bytes(), expected: Ok(expected), says }
}

fn refused(name: &'static str, text: &str, why: &'static str) -> Form {
    Form { name, text: filled(text).into_bytes(), expected: Err(why), says: &[] }
}

/// Replaces placeholders by numbered hashes: `{0}` to `{4}` by 64 digits, `{m0}` to `{m4}` by 32, `{s0}` by 40.
fn filled(text: &str) -> String {
    let digests = digests(5);
    let mut text = text.to_owned();
    for (number, digest) in digests.iter().enumerate() {
        for (name, length) in [("", 64), ("m", 32), ("s", 40)] {
            text = text.replace(&format!("{{{name}{number}}}"), &digest[..length]);
        }
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(filled(text).encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Writes a pickle of protocol 4, with the instructions that `pickle.dump` writes for the state of `threatexchange`
/// 1.2.17.
fn pickle() -> Vec<u8> {
    let mut bytes = vec![0x80, 4];
    let digests = digests(3);
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend([0x8c, text.len() as u8]);
        bytes.extend(text.as_bytes());
        bytes.push(0x94);
    };
    let class = |bytes: &mut Vec<u8>, module: &str, name: &str| {
        text(bytes, module);
        text(bytes, name);
        bytes.extend([0x93, 0x94]);
    };
    class(&mut bytes, "threatexchange.exchanges.fetch_state", "FetchDelta");
    bytes.extend([b')', 0x81, 0x94, b'}', 0x94, b'(']);
    text(&mut bytes, "updates");
    bytes.extend([b'}', 0x94, b'(']);
    for (digest, category) in digests.iter().zip([Some(2u8), Some(0), None]) {
        text(&mut bytes, "pdq");
        text(&mut bytes, digest);
        bytes.extend([0x86, 0x94]);
        let Some(category) = category else {
            bytes.push(b'N');
            continue;
        };
        class(&mut bytes, "threatexchange.exchanges.impl.fb_threatexchange_api", "FBThreatExchangeIndicatorRecord");
        bytes.extend([b')', 0x81, 0x94, b'}', 0x94]);
        text(&mut bytes, "opinions");
        bytes.extend([b']', 0x94]);
        class(&mut bytes, "threatexchange.exchanges.impl.fb_threatexchange_api", "FBThreatExchangeOpinion");
        bytes.extend([b')', 0x81, 0x94, b'}', 0x94, b'(']);
        text(&mut bytes, "category");
        class(&mut bytes, "threatexchange.exchanges.fetch_state", "SignalOpinionCategory");
        bytes.extend([b'K', category, 0x85, 0x94, b'R', 0x94]);
        text(&mut bytes, "tags");
        bytes.extend([0x8f, 0x94, b'u', b'b', b'a', b's', b'b']);
    }
    bytes.push(b'u');
    text(&mut bytes, "checkpoint");
    bytes.extend(*b"Nub.");
    bytes
}

const NCMEC: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
    <images count="3" maxTimestamp="2017-10-24T15:10:00Z">
        <image>
            <member id="42">Example Member</member>
            <timestamp>2017-10-24T15:00:00Z</timestamp>
            <id>image1</id>
            <classification>A1</classification>
            <fingerprints>
                <md5>{m0}</md5>
                <sha1>{s0}</sha1>
                <pdna>a1a1a1a1...</pdna>
                <pdq>{0}</pdq>
            </fingerprints>
            <feedback lastUpdateTimestamp="2023-06-01T12:48:14Z">
                <affirmativeFeedback type="Md5" lastUpdateTimestamp="2023-06-01T12:48:14Z">
                    <members timestamp="2023-06-01T12:48:14Z"><member id="42">Example Member</member></members>
                </affirmativeFeedback>
                <negativeFeedback type="Pdq" lastUpdateTimestamp="2023-05-31T19:41:51Z">
                    <reasons>
                        <reason guid="01234567-abcd-0123-4567-012345678900" name="Example Reason 1" type="Pdq"/>
                        <members timestamp="2023-06-01T12:48:14Z"><member id="43">Other Member</member></members>
                    </reasons>
                </negativeFeedback>
            </feedback>
        </image>
        <image>
            <member id="43">Other Member</member>
            <id>image2</id>
            <fingerprints><md5>{m1}</md5><tmk-pdqf rel="self" href="/v2/entries/1/fingerprints/TMK_PDQF"/></fingerprints>
            <feedback />
        </image>
        <deletedImage>
            <member id="43">Other Member</member>
            <id>image4</id>
            <timestamp>2017-10-24T15:10:00Z</timestamp>
        </deletedImage>
    </images>
    <videos count="1" maxTimestamp="2017-10-24T15:20:00Z">
        <video>
            <member id="42">Example Member</member>
            <id>video1</id>
            <fingerprints><md5>{m2}</md5></fingerprints>
        </video>
    </videos>
    <paging><next>/v2/entries?from=2017-10-20&amp;start=2001&amp;size=1000&amp;max=3000</next></paging>
</queryResult>
"#;

fn forms() -> Vec<Form> {
    let stop_ncii = r#"{"count": 5, "nextSetTimestamp": 1625175071, "nextPageToken": "x", "hasMoreRecords": true, "hashRecords": [
        {"lastModtimestamp": 1625167804, "hashValue": "{0}", "hashStatus": "Received",
         "caseNumbers": {"27664732-76e1-4a17-8099-455798e67022": "Received"}, "signalType": "ImagePDQ"},
        {"lastModtimestamp": 1625167804, "hashValue": "{1}", "hashStatus": "Active", "caseNumbers": [], "signalType": "ImagePDQ",
         "CSPFeedbacks": [{"source": "Facebook", "feedbackValue": "Blocked", "tags": ["Nude"]}]},
        {"lastModtimestamp": 1625167804, "hashValue": "{2}", "hashStatus": "Active", "caseNumbers": {}, "signalType": "ImagePDQ",
         "CSPFeedbacks": [{"source": "A", "feedbackValue": "NotBlocked"}, {"source": "B", "feedbackValue": "Blocked"}]},
        {"lastModtimestamp": 1625167804, "hashValue": "{3}", "hashStatus": "Withdrawn", "caseNumbers": {}, "signalType": "ImagePDQ"},
        {"lastModtimestamp": 1625167804, "hashValue": "{m3}", "hashStatus": "Active", "caseNumbers": {}, "signalType": "VideoMD5"}]}"#;
    let tat = r#"{"count": 5, "next": "https://example.org", "previous": null, "checkpoint": "1724856487.709035,10594", "results": [
        {"hash_digest": "{0}", "algorithm": "PDQ", "ideology": "islamist", "file_type": "gif", "deleted": false, "id": 2821},
        {"hash_digest": "{m1}", "algorithm": "MD5", "ideology": "far-right", "file_type": "mp4", "deleted": false, "id": 2819},
        {"hash_digest": "{m2}", "algorithm": "MD5", "ideology": "far-right", "file_type": "jpg", "deleted": false, "id": 2820},
        {"hash_digest": "{s0}", "algorithm": "SHA1", "ideology": "islamist", "file_type": "jpg", "deleted": false, "id": 2},
        {"hash_digest": "{3}", "algorithm": "PDQ", "ideology": "islamist", "file_type": "jpg", "deleted": true, "id": 1}]}"#;
    let updates = r#"{"data": [
        {"id": "1", "indicator": "{0}", "type": "HASH_PDQ", "last_updated": 1, "should_delete": false, "descriptors": {"data":
          [{"id": "11", "owner": {"id": "7"}, "status": "MALICIOUS", "tags": {"data": [{"text": "a"}]}}]}},
        {"id": "2", "indicator": "{1}", "type": "HASH_PDQ", "should_delete": false, "descriptors": {"data":
          [{"id": "12", "owner": {"id": "7"}, "status": "MALICIOUS"}, {"id": "13", "owner": {"id": "8"}, "status": "NON_MALICIOUS"}]}},
        {"id": "3", "indicator": "{2}", "type": "HASH_PDQ", "should_delete": false, "descriptors": {"data":
          [{"id": "14", "owner": {"id": "7"}, "status": "UNKNOWN", "reactions": [{"key": "DISAGREE_WITH_TAGS", "value": "9"}]}]}},
        {"id": "4", "indicator": "{3}", "type": "HASH_PDQ", "should_delete": true},
        {"id": "5", "indicator": "{m0}", "type": "HASH_MD5", "should_delete": false, "descriptors": {"data":
          [{"id": "15", "owner": {"id": "7"}, "status": "SUSPICIOUS"}]}},
        {"id": "6", "indicator": "x", "type": "HASH_TMK", "should_delete": false}], "paging": {"next": "https://example.org"}}"#;
    let hma = r#"[{"id": 1, "disable_until_ts": 1, "original_media_uri": null, "note": null, "metadata": null,
          "bank": {"name": "TEST_BANK", "matching_enabled_ratio": 1.0}, "signals": {"pdq": "{0}", "video_md5": "{m0}"}},
        {"id": 2, "disable_until_ts": 0, "bank": {"name": "TEST_BANK", "matching_enabled_ratio": 1.0}, "signals": {"pdq": "{1}"}}]"#;
    let stix = r#"{"type": "bundle", "id": "bundle--44af6c39-c09b-49c5-9de2-394224b04982", "objects": [
        {"type": "file", "spec_version": "2.1", "id": "file--1190f2c9-166f-55f1-9706-eea3971d8082",
         "hashes": {"MD5": "{m0}", "SHA-256": "{0}", "SHA-1": "{s0}"}, "name": "a.jpg"},
        {"type": "file", "spec_version": "2.1", "id": "file--2190f2c9-166f-55f1-9706-eea3971d8082", "hashes": {"SHA-256": "{1}"}},
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--3190f2c9-166f-55f1-9706-eea3971d8082", "pattern_type": "stix",
         "pattern": "[file:hashes.'SHA-256' = '{2}' OR file:hashes.MD5 = '{m2}']"},
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--4190f2c9-166f-55f1-9706-eea3971d8082", "pattern_type": "stix",
         "pattern": "[file:hashes.MD5 = '{m3}' AND file:name = 'x']"},
        {"type": "opinion", "spec_version": "2.1", "id": "opinion--5190f2c9-166f-55f1-9706-eea3971d8082",
         "opinion": "strongly-disagree", "object_refs": ["file--2190f2c9-166f-55f1-9706-eea3971d8082"]}]}"#;
    vec![
        form(
            "`hashgate hash`, CSV",
            "path,width,height,pdq,quality,sha256,md5\na.jpg,8,8,{0},90,{1},{m1}\n",
            [1, 1, 1],
            &["read as CSV of hashgate hash"],
        ),
        form(
            "`hashgate hash --format jsonl`",
            "{\"path\":\"a\",\"pdq\":\"{0}\",\"quality\":90,\"sha256\":\"{1}\",\"md5\":\"{m1}\"}\n{\"path\":\"b\",\"pdq\":\"{2}\",\"quality\":90}\n",
            [2, 1, 1],
            &["read as JSON Lines"],
        ),
        form(
            "CSV with a header",
            "hash,type,category\n{0},pdq,a\n{1},sha256,b\n{m1},md5,b\n{s0},sha1,b\nx,PhotoDNA,b\n",
            [1, 1, 1],
            &["left out: 1 of type sha1", "left out: 1 of type PhotoDNA"],
        ),
        form("CSV with semicolons", "hash;type\n{0};pdq\n{1};SHA-256\n", [1, 1, 0], &["CSV with semicolons"]),
        form("Tab-separated values", "type\thash\npdq\t{0}\nmd5\t{m1}\n", [1, 0, 1], &["tab-separated"]),
        form(
            "CSV without a header, with a type in each row",
            "pdq,{0}\nmd5,{m1}\n",
            [1, 0, 1],
            &["CSV without a header"],
        ),
        Form {
            name: "CSV in UTF-16, as spreadsheets save it",
            text: utf16("hash\ttype\r\n{0}\tpdq\r\n"),
            expected: Ok([1, 0, 0]),
            says: &["UTF-16"],
        },
        Form {
            name: "any of these forms, packed by gzip, also twice",
            text: gzip(&gzip(filled("hash,type\n{0},pdq\n").as_bytes())),
            expected: Ok([1, 0, 0]),
            says: &["gzip"],
        },
        form(
            "A type and a hash per line",
            "pdq {0}\nsha256 {1}\nphotodna 1,2,3\ntmk abc\n",
            [1, 1, 0],
            &["one hash per line", "left out: 1 of type photodna"],
        ),
        form(
            "`sha256sum`, `md5sum` (GNU coreutils 9.1)",
            "{0}  a.jpg\n{1} *b.jpg\n\\{2}  c\\nd.jpg\n{m3}  e.jpg\n{s0}  f.jpg\n",
            [0, 3, 1],
            &["read as sha256sum, md5sum", "of type sha1"],
        ),
        form(
            "`sha256sum --tag` (GNU coreutils 9.1), `sha256` of BSD",
            "SHA256 (a (1).jpg) = {0}\nMD5 (b.jpg) = {m1}\nSHA1 (b.jpg) = {s0}\n",
            [0, 1, 1],
            &["--tag"],
        ),
        form(
            "`pdq-photo-hasher` (ThreatExchange, C++)",
            "{0},100,a, b.jpg\n{1},30,b.jpg\n",
            [1, 0, 0],
            &["read as pdq-photo-hasher", "quality under 50"],
        ),
        form(
            "`pdq-photo-hasher --details`",
            "hash={0},norm=128,delta=0,quality=100,filename=a.jpg\n",
            [1, 0, 0],
            &["pdq-photo-hasher --details"],
        ),
        form(
            "`threatexchange dataset -P --csv` (1.2.17)",
            "signal_type,signal_str,collab,category,tags\npdq,{0},A,POSITIVE_CLASS,x\npdq,{1},A,INVESTIGATION_SEED,\npdq,{2},A,DISPUTED,\npdq,{3},A,NEGATIVE_CLASS,\nraw_text,\"a, b\",A,POSITIVE_CLASS,\n",
            [2, 0, 0],
            &["threatexchange dataset -P --csv", "1 that the list calls disputed", "1 that the list denies"],
        ),
        form(
            "`threatexchange dataset -P` (1.2.17), of mixed kinds",
            "raw_text bball now? 'Sample Signals' POSITIVE_CLASS\npdq {0} 'Sample Signals' INVESTIGATION_SEED\npdq {1} 'DISPUTED' POSITIVE_CLASS a,b\npdq {2} 'x' DISPUTED a\npdq {3} \"it's\" NEGATIVE_CLASS\nvideo_md5 {m0} 'x' POSITIVE_CLASS\n",
            [2, 0, 1],
            &["lines of threatexchange dataset -P"],
        ),
        form(
            "`threatexchange dataset -P -s pdq` (1.2.17), with `--type pdq`",
            "{0} 'Sample Signals' INVESTIGATION_SEED\n{1} 'Sample Signals' DISPUTED\n",
            [1, 0, 0],
            &["calls disputed"],
        ),
        Form {
            name: "Local state of `threatexchange` (1.2.17), `NAME.state.pickle`",
            text: pickle(),
            expected: Ok([1, 0, 0]),
            says: &[
                "local state of threatexchange",
                "1 that the list denies",
                "left out: 1 that their source has withdrawn",
            ],
        },
        form(
            "ThreatExchange API, `/threat_updates`",
            updates,
            [1, 0, 1],
            &["read as JSON of ThreatExchange", "2 that the list calls disputed", "withdrawn", "of type HASH_TMK"],
        ),
        form(
            "HMA (1.1.7), `/c/bank/NAME/content/ID?include_signals=true`, one or an array",
            hma,
            [1, 0, 1],
            &["read as JSON of HMA", "withdrawn, deleted or disabled"],
        ),
        form(
            "HMA (1.1.7), table `content_signal` as CSV",
            "content_id,signal_type,signal_val,create_time\n1,pdq,{0},2026-01-01 00:00:00\n1,video_md5,{m1},2026-01-01 00:00:00\n",
            [1, 0, 1],
            &["HMA's table content_signal"],
        ),
        form(
            "HMA (1.1.7), `content_signal` joined with `bank_content`",
            "content_id,signal_type,signal_val,disable_until_ts\n1,pdq,{0},1\n2,pdq,{1},0\n",
            [1, 0, 0],
            &["disabled"],
        ),
        form(
            "NCMEC hash sharing, version 2, XML",
            NCMEC,
            [0, 0, 3],
            &["NCMEC", "of type sha1", "of type pdna", "of type tmk-pdqf", "calls disputed", "withdrawn"],
        ),
        form(
            "StopNCII, `FetchHashes`",
            stop_ncii,
            [2, 0, 1],
            &["read as JSON of StopNCII", "calls disputed", "withdrawn"],
        ),
        form(
            "Tech Against Terrorism, hash list version 2",
            tat,
            [1, 0, 2],
            &["Tech Against Terrorism", "of type SHA1", "withdrawn", "category islamist: 1"],
        ),
        form(
            "STIX 2.1: `file`, `artifact`, patterns of `indicator`, `opinion`",
            stix,
            [0, 2, 2],
            &["STIX 2.1", "of type SHA-1", "calls disputed"],
        ),
        form(
            "JSON array of objects",
            "[{\"hash\":\"{0}\",\"type\":\"pdq\"},{\"hash\":\"{m1}\",\"type\":\"md5\"}]",
            [1, 0, 1],
            &["read as JSON of hashes"],
        ),
        form("JSON array of hashes, with `--type pdq`", "[\"{0}\",\n\"{1}\"]", [2, 0, 0], &["read as JSON of hashes"]),
        form(
            "`threatexchange hash video` (1.2.17), with the extension vpdq",
            "video_md5 {m0}\nvideo_sha256 {0}\nvpdq [\"{1},100,0.000\", \"{1},100,1.000\", \"{2},49,2.000\", \"{3},50,3.000\"]\n",
            [2, 1, 1],
            &["left out: 1 frames that nearly repeat another one", "left out: 1 PDQ hashes of quality under 50"],
        ),
        form(
            "`threatexchange dataset -P` (1.2.17), with films",
            "vpdq [\"{1},100,0.000\", \"{2},90,1.000\"] 'My films' POSITIVE_CLASS a,b\npdq {3} 'Mine' POSITIVE_CLASS\n",
            [3, 0, 0],
            &["category POSITIVE_CLASS: 3"],
        ),
        form(
            "`threatexchange dataset -P --csv` (1.2.17), with films",
            "signal_type,signal_str,collab,category,tags\nvpdq,\"[\"\"{1},100,0.000\"\", \"\"{2},90,1.000\"\"]\",C,POSITIVE_CLASS,\n",
            [2, 0, 0],
            &[],
        ),
        form(
            "vPDQ as JSON, an array of `HEX,QUALITY,SECONDS`",
            "[\"{1},100,0.000\", \"{2},90,1.000\"]",
            [2, 0, 0],
            &["read as JSON of vPDQ"],
        ),
        form(
            "vPDQ as JSON, an object by frame, as earlier versions of threatexchange wrote it",
            "{\"0\": {\"quality\": 100, \"hash\": \"{1}\", \"timestamp\": 0.0}, \"30\": {\"quality\": 40, \"hash\": \"{2}\", \"timestamp\": 1.0}}",
            [1, 0, 0],
            &["read as JSON of vPDQ", "left out: 1 PDQ hashes of quality under 50"],
        ),
        form(
            "vPDQ, `FRAME,QUALITY,HEX,SECONDS` per line (C++)",
            "0,100,{1},0.000\n30,100,{2},1.001\n60,0,{3},2.002\n",
            [2, 0, 0],
            &["read as vPDQ, a line per frame"],
        ),
        form("One hash per line, with `--type pdq`", "# a comment\n{0}\n{1}\n", [2, 0, 0], &["one hash per line"]),
        refused(
            "HMA, a content without `?include_signals=true`",
            "{\"id\": 1, \"disable_until_ts\": 1, \"bank\": {\"name\": \"B\", \"matching_enabled_ratio\": 1.0}, \"signals\": null}",
            "fetch the content with ?include_signals=true",
        ),
        refused(
            "HMA, table `bank_content`, which holds no hashes",
            "id,bank_id,imported_from_id,disable_until_ts\n1,1,,1\n",
            "export content_signal",
        ),
        refused("Other XML", "<feed><entry/></feed>", "expected NCMEC's queryResult"),
        refused("Other JSON", "{\"a\": {\"b\": 1}}", "expected a JSON object with a hash"),
        refused("A table without a column of hashes", "a,b\n1,2\n", "expected the columns hash and type"),
        refused("A page that was cut off", "{\"hashRecords\": [\n{\"hashValue\": \"{0}\",", "expected whole JSON"),
    ]
}

#[test]
fn every_form_is_read_as_the_table_says() {
    let folder = folder();
    let folder = folder.path();
    let mut table = String::from("| form | |\n|---|---|\n");
    for Form { name, text, expected, says } in forms() {
        fs::write(folder.join("list"), &text).unwrap();
        let kind: &[&str] = if name.contains("--type pdq") { &["--type", "pdq"] } else { &[] };
        let built = build(folder, &[&["list"][..], kind].concat());
        match expected {
            Ok(counted) => {
                assert_eq!(built.code, 0, "{name}: {}", built.err);
                assert_eq!(counts(&inspect(folder)), counted, "{name}: {}", built.out);
                for words in says {
                    assert!(built.out.contains(words), "{name}: expected {words:?} in {}", built.out);
                }
                table += &format!("| {name} | read |\n");
            }
            Err(why) => {
                assert_eq!(built.code, 2, "{name}: {}", built.out);
                assert!(built.err.contains(why), "{name}: {}", built.err);
                table += &format!("| {name} | refused: {why} |\n");
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/lists.md");
    let page = fs::read_to_string(path).unwrap();
    let (start, end) = ("<!-- forms -->\n", "<!-- end of forms -->");
    let (before, rest) = page.split_once(start).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("HASHGATE_WRITE").is_some() {
        fs::write(path, format!("{before}{start}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "{path}: run the test with HASHGATE_WRITE=1");
    }
}

#[test]
fn a_list_comes_from_standard_input() {
    use std::io::Write;
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(["build", "-"])
        .args(BUILD)
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(filled("pdq {0}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(counts(&inspect(folder.path())), [1, 0, 0]);
}

#[test]
fn what_a_source_disputes_is_listed_by_no_other() {
    let folder = folder();
    let folder = folder.path();
    let csv = |rows: &str| filled(&format!("signal_type,signal_str,collab,category,tags\n{rows}"));
    write(folder, "a.csv", &csv("pdq,{0},A,POSITIVE_CLASS,\npdq,{1},A,POSITIVE_CLASS,\n"));
    write(folder, "b.csv", &csv("pdq,{0},B,NEGATIVE_CLASS,\npdq,{2},B,DISPUTED,\n"));
    let built = build(folder, &["a.csv", "b.csv"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert_eq!(counts(&inspect(folder)), [1, 0, 0]);
    assert!(built.err.contains(&filled("pdq {0}: asserted in a.csv, disputed in b.csv")), "{}", built.err);
    assert!(built.out.contains("left out: 1 that another source disputes or denies"), "{}", built.out);
    let all = build(folder, &["a.csv", "b.csv", "--include-disputed"]);
    assert_eq!(counts(&inspect(folder)), [3, 0, 0]);
    assert!(all.out.contains("kept: 1 that the list calls disputed"), "{}", all.out);
    assert_eq!(build(folder, &["a.csv", "b.csv", "--only-category", "positive_class"]).code, 0);
    assert_eq!(counts(&inspect(folder)), [1, 0, 0]);
    assert!(build(folder, &["a.csv", "--only-category", "x"]).err.contains("--only-category: expected"));
}

#[test]
fn an_opinion_counts_in_whatever_column_it_stands() {
    let folder = folder();
    let folder = folder.path();
    let rows =
        "pdq,{0},POSITIVE_CLASS\npdq,{1},DISPUTED\npdq,{2},43 NEGATIVE_CLASS\npdq,{3},not as disputed as others\n";
    write(folder, "plain.csv", &filled(rows));
    let built = build(folder, &["plain.csv"]);
    assert_eq!((built.code, counts(&inspect(folder))), (0, [2, 0, 0]), "{}", built.err);
    assert!(built.out.contains("left out: 1 that the list calls disputed"), "{}", built.out);
}

#[test]
fn a_pattern_that_asks_for_more_than_a_hash_is_counted() {
    let folder = folder();
    let folder = folder.path();
    let indicator = |id: u8, more: &str| {
        let pattern = filled(&format!("[file:hashes.'SHA-256' = '{{{id}}}'{more}]"));
        json!({ "type": "indicator", "id": format!("indicator--{id}"), "pattern_type": "stix", "pattern": pattern })
    };
    let bundle = json!({ "type": "bundle", "objects": [indicator(0, ""), indicator(1, " AND file:name = 'a'")] });
    write(folder, "stix.json", &bundle.to_string());
    let built = build(folder, &["stix.json"]);
    assert_eq!((built.code, counts(&inspect(folder))), (0, [0, 1, 0]), "{}", built.err);
    assert!(built.out.contains("left out: 1 of type indicator with further conditions"), "{}", built.out);
}

#[test]
fn an_allow_list_counts_also_for_near_hashes() {
    let folder = folder();
    let folder = folder.path();
    write(folder, "list", &filled("pdq {0}\npdq {1}\nmd5 {m2}\nmd5 {m3}\n"));
    // Changes the last two digits of {0}, so that the hash on the allow list differs from the listed one in seven bits.
    let near = filled("{0}");
    let last = u8::from_str_radix(&near[62..], 16).unwrap();
    write(folder, "allow", &format!("pdq {}{:02x}\n{}", &near[..62], last ^ 0x7f, filled("md5 {m3}\n")));
    let built = build(folder, &["list", "--exclude", "allow"]);
    assert_eq!(counts(&inspect(folder)), [1, 0, 1], "{}", built.err);
    assert!(built.out.contains("left out: 1 within 31 bits of a hash of an allow list"), "{}", built.out);
    build(folder, &["list", "--exclude", "allow", "--exclude-distance", "6"]);
    assert_eq!(counts(&inspect(folder)), [2, 0, 1]);
    build(folder, &["list", "--exclude", "allow", "--exclude-distance", "7"]);
    assert_eq!(counts(&inspect(folder)), [1, 0, 1]);
}

#[test]
fn suspect_hashes_are_reported_left_out_or_refused() {
    let folder = folder();
    let folder = folder.path();
    let real = "752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa";
    let empty = "md5 d41d8cd98f00b204e9800998ecf8427e\n\
                 sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n";
    let flat = format!("pdq {}\npdq {}\n", "0".repeat(64), "f".repeat(64));
    let near = format!("pdq {real}\npdq {}5\n", &real[..63]);
    write(folder, "list", &format!("{near}{empty}{flat}"));
    let built = build(folder, &["list"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert_eq!(counts(&inspect(folder)), [4, 1, 1]);
    assert!(built.err.contains("suspect: 2 digests of the empty file"), "{}", built.err);
    assert!(built.err.contains("suspect: 2 degenerate hashes"), "{}", built.err);
    assert!(built.out.contains("near-duplicates: 2 PDQ hashes lie within 31 bits"), "{}", built.out);
    let built = build(folder, &["list", "--suspect", "leave-out"]);
    assert_eq!(counts(&inspect(folder)), [2, 0, 0], "{}", built.err);
    let refused = build(folder, &["list", "--suspect", "refuse"]);
    assert!(refused.code == 2 && refused.err.contains("got 4 suspect ones"), "{}", refused.err);
    // SHA-256 digests given as PDQ.
    let list: String = digests(50).iter().map(|digest| format!("pdq {digest}\n")).collect();
    write(folder, "digests", &list);
    let built = build(folder, &["digests"]);
    assert!(built.err.contains("a number of ones that PDQ doesn't give; are they SHA-256?"), "{}", built.err);
}

#[test]
fn clean_pictures_name_the_entries_that_would_hold_them() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "clean/a.png", &draw(1));
    save(folder, "clean/b.png", &draw(2));
    save(folder, "listed/c.png", &draw(1));
    save(folder, "listed/d.png", &draw(3));
    write(folder, "list.csv", &hashgate(folder, &["hash", "listed"]).out);
    let built = build(folder, &["list.csv", "--check-against", "clean"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert_eq!(counts(&inspect(folder)), [2, 2, 2]);
    assert!(built.err.contains("a.png: pdq ") && !built.err.contains("b.png"), "{}", built.err);
    assert!(
        built.out.contains("checked against 2 clean files (0 of them couldn't be read): 3 entries"),
        "{}",
        built.out
    );
    build(folder, &["list.csv", "--check-against", "clean", "--suspect", "leave-out"]);
    assert_eq!(counts(&inspect(folder)), [1, 1, 1]);
    let refused = build(folder, &["list.csv", "--check-against", "clean", "--suspect", "refuse"]);
    assert!(refused.code == 2 && refused.err.contains("--check-against: expected no entry"), "{}", refused.err);
}
