//! Checks bearer tokens. They decide who may ask. Tokens are compared in constant time.

use axum::http::{HeaderMap, header};
use base64ct::{Base64, Encoding};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;

use crate::problem::{Code, Problem};

/// Looks for a token in the header `Authorization: Bearer TOKEN`. If a route passes its `query`, also looks in the URL,
/// because some callers can be given only a URL: `?token=TOKEN`, or `http://user:TOKEN@host/`, of which clients send
/// TOKEN as a password.
///
/// # Errors
/// The request has no token, or one that this server doesn't know.
pub fn authorise(tokens: &[String], headers: &HeaderMap, query: Option<&str>) -> Result<(), Problem> {
    if tokens.is_empty() {
        return Ok(());
    }
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let given = match authorization {
        [] => query.and_then(in_query).unwrap_or_default(),
        value => bearer(value).or_else(|| query.and_then(|_| password(value))).unwrap_or_default(),
    };
    // Compares the given token with every known one, and all bytes of each. So the time doesn't tell how much of the
    // token is right.
    let known = tokens.iter().fold(subtle::Choice::from(0), |known, token| known | token.as_bytes().ct_eq(&given));
    if known.into() {
        return Ok(());
    }
    let got = if given.is_empty() { "none" } else { "another" };
    Err(Problem::new(Code::Token, "authorization", "a bearer token of this server", got))
}

fn bearer(value: &[u8]) -> Option<Vec<u8>> {
    after_scheme(value, "Bearer").map(<[u8]>::to_vec)
}

/// Returns what follows the scheme, whose letters may be small or capital (RFC 9110).
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (found, rest) = value.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    found.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii_start())
}

fn password(value: &[u8]) -> Option<Vec<u8>> {
    let encoded = std::str::from_utf8(after_scheme(value, "Basic")?).ok()?;
    let pair = Base64::decode_vec(encoded.trim()).ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

fn in_query(query: &str) -> Option<Vec<u8>> {
    let token = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    Some(percent_decode_str(token).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_wherever_it_may_be() {
        let tokens = ["0123456789abcdef".to_owned(), "fedcba+/9876543210".to_owned()];
        let may = |authorization: Option<&str>, query: Option<&str>| {
            let mut headers = HeaderMap::new();
            authorization.into_iter().for_each(|value| _ = headers.insert("authorization", value.parse().unwrap()));
            authorise(&tokens, &headers, query).is_ok()
        };
        assert!(may(Some("Bearer 0123456789abcdef"), None));
        assert!(may(Some("bearer  0123456789abcdef"), None), "a scheme may have small letters");
        assert!(!may(Some("Bearer"), None) && !may(Some("Bearer0123456789abcdef"), None));
        assert!(may(None, Some("a=b&token=fedcba%2B%2F9876543210")));
        let basic = format!("Basic {}", Base64::encode_string(b"user:0123456789abcdef"));
        assert!(may(Some(&basic), Some("")));
        assert!(!may(Some(&basic), None), "only where the URL may hold one");
        assert!(!may(None, None) && !may(None, Some("token=")) && !may(None, Some("token=0123456789abcdeF")));
        assert!(!may(Some("Bearer x"), Some("token=0123456789abcdef")), "the header comes first");
        assert!(!may(Some("Basic !"), Some("")));
    }
}
