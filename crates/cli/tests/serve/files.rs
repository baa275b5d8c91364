//! Tests that the server hosts a published list and a site.

use super::support::*;

#[test]
fn a_published_list_is_hosted() {
    let folder = folder();
    let [manifest, full] = published(folder.path());
    let manifest = fs::read_to_string(folder.path().join("published").join(manifest)).unwrap();
    fs::create_dir_all(folder.path().join("site/part")).unwrap();
    fs::write(folder.path().join("site/index.html"), "<!doctype html><title>site</title>").unwrap();
    fs::write(folder.path().join("site/part/page.txt"), "part").unwrap();
    fs::write(folder.path().join("published/.hashgate-half"), "half").unwrap();
    let mounts = ["--dir", "published", "--site", "site", "--site", "/apart/=site/part"];
    let server = start(folder.path(), &[&BOTH[..], &mounts].concat());

    let plain = server.get("/list/manifest.txt", "");
    assert_eq!((plain.status, plain.text()), (200, manifest.clone()));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let tag = plain.header("etag").unwrap().to_owned();
    let again = server.get("/list/manifest.txt", &format!("\r\nIf-None-Match: {tag}"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!((again.header("etag"), again.header("last-modified")), (Some(tag.as_str()), None));
    let packed = server.get("/list/manifest.txt", "\r\nAccept-Encoding: gzip");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < manifest.len());
    assert_eq!(packed.header("etag"), Some(format!("W/{tag}").as_str()));
    let again = server.get("/list/manifest.txt", &format!("\r\nAccept-Encoding: gzip\r\nIf-None-Match: W/{tag}"));
    assert_eq!(again.status, 304);

    let file = fs::read(folder.path().join("published").join(&full)).unwrap();
    let full = format!("/list/{full}");
    let whole = server.get(&full, "\r\nAccept-Encoding: gzip");
    assert!(whole.status == 200 && whole.body == file, "{}", whole.head);
    assert_eq!(whole.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(whole.header("content-encoding"), None);
    let part = server.get(&full, "\r\nRange: bytes=10-19");
    assert_eq!((part.status, &part.body[..]), (206, &file[10..20]));
    assert_eq!(server.get(&full, "\r\nRange: bytes=99999999-").status, 416);
    let resumed = server.get("/list/manifest.txt", "\r\nRange: bytes=5-\r\nIf-Range: \"old\"");
    assert_eq!((resumed.status, resumed.text()), (200, manifest));

    for (path, status) in [
        ("/list/.hashgate-half", 404),
        ("/list/%2ehashgate-half", 404),
        ("/list/%2Ehashgate-half", 404),
        ("/list/nothing.hgf", 404),
        ("/list/../first.csv", 404),
        ("/list/%2e%2e/first.csv", 404),
        ("/list/..%2ffirst.csv", 404),
        ("/first.csv", 404),
    ] {
        assert_eq!(server.get(path, "").status, status, "{path}");
    }
    assert!(server.get("/list/nothing.hgf", "").header("cache-control") == Some("no-cache"));
    let page = server.get("/", "");
    assert!(page.text().contains("<title>site") && page.header("content-security-policy").unwrap().contains("'none'"));
    assert_eq!(server.get("/apart/page.txt", "").text(), "part");
}

#[cfg(unix)]
#[test]
fn hidden_files_and_links_out_of_a_folder_are_not_given_out() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let folder = folder.path();
    fs::create_dir_all(folder.join("site/.git")).unwrap();
    fs::create_dir_all(folder.join("site/part")).unwrap();
    fs::create_dir_all(folder.join("outside/page")).unwrap();
    for (path, text) in [
        ("site/.env", "secret"),
        ("site/.git/config", "secret"),
        ("site/part/page.txt", "public"),
        ("outside/secret.txt", "secret"),
        ("outside/page/index.html", "secret"),
    ] {
        fs::write(folder.join(path), text).unwrap();
    }
    for (to, link) in [
        ("../outside/secret.txt", "site/link.txt"),
        ("../outside", "site/folder"),
        ("../../outside/page/index.html", "site/part/index.html"),
        (".env", "site/env.txt"),
        ("part/page.txt", "site/inside.txt"),
        ("nowhere", "site/dangling"),
    ] {
        symlink(to, folder.join(link)).unwrap();
    }
    // The folder itself may be a link, as in a deployment that switches between versions.
    symlink("site", folder.join("current")).unwrap();
    let server = start(folder, &["--site", "current", "--site", "/apart=site"]);
    for prefix in ["", "/apart"] {
        for path in [
            "/.env",
            "/%2eenv",
            "/%2Eenv",
            "/.git/config",
            "/%2egit/config",
            "/part/%2e%2e/.env",
            "/link.txt",
            "/folder/secret.txt",
            "/folder/",
            "/part/",
            "/env.txt",
            "/dangling",
        ] {
            let answer = server.get(&format!("{prefix}{path}"), "");
            assert_eq!((answer.status, answer.text().contains("secret")), (404, false), "{prefix}{path}");
        }
        for path in ["/part/page.txt", "/inside.txt", "/part/page%2etxt"] {
            assert_eq!(server.get(&format!("{prefix}{path}"), "").text(), "public", "{prefix}{path}");
        }
    }
}
