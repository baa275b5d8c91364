//! Tells clients apart and limits their rate. One client is one IPv4 address, or one /64 network of IPv6.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use axum::http::{HeaderMap, HeaderName};
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::{Code, Problem};
use crate::question::MAX_BATCH;

/// Limits how many questions a client asks.
pub type Limiter = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

/// When the limiter knows this many clients, it forgets those that may use their whole rate again.
const MAX_CLIENTS: usize = 100_000;

/// Makes a limiter of `rate` questions per second and client. A full batch passes at once.
pub fn limiter(rate: NonZeroU32) -> Limiter {
    let burst = NonZeroU32::new(MAX_BATCH as u32).map_or(rate, |batch| rate.max(batch));
    RateLimiter::hashmap(Quota::per_second(rate).allow_burst(burst))
}

/// Returns the address that identifies a client: an IPv4 address as it is, or the first address of an IPv6 address's
/// /64 network, because whoever has one address of a network has all 2^64.
///
/// An IPv4 address that is written as an IPv6 address (`::ffff:192.0.2.1`) counts as an IPv4 address.
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Reads the client's address from the header that a proxy sets. A proxy appends an address to the header that it
/// received. So only the last address comes from the proxy. A client can have invented the others.
pub fn told_by_proxy(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || last.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    last.parse().ok().or_else(with_port).or_else(bracketed)
}

/// Counts the questions of a client against its rate.
///
/// # Errors
/// The client has used up its rate.
pub fn limit(limiter: &Limiter, client: IpAddr, questions: usize) -> Result<(), Problem> {
    if limiter.len() > MAX_CLIENTS {
        limiter.retain_recent();
    }
    let Some(cells) = NonZeroU32::new(questions as u32) else { return Ok(()) };
    match limiter.check_key_n(&client_of(client), cells) {
        Ok(Ok(())) => Ok(()),
        _ => Err(Problem::new(Code::Rate, "questions", "fewer per second", "too many")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one_address_or_one_network() {
        let client = |text: &str| client_of(text.parse().unwrap()).to_string();
        assert_eq!(client("192.0.2.1"), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(client("2001:db8:0:7:aaaa::1"), client("2001:db8:0:7:bbbb::2"));
        assert_ne!(client("2001:db8:0:7::1"), client("2001:db8:0:8::1"));
    }

    #[test]
    fn the_proxys_own_entry_counts() {
        let name = HeaderName::from_static("x-forwarded-for");
        let told = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| _ = headers.append(&name, value.parse().unwrap()));
            told_by_proxy(&headers, &name).map(|address| address.to_string())
        };
        assert_eq!(told(&["192.0.2.9, 198.51.100.1"]).as_deref(), Some("198.51.100.1"));
        assert_eq!(told(&["192.0.2.9", "198.51.100.1:4711"]).as_deref(), Some("198.51.100.1"));
        assert_eq!(told(&["[2001:db8::1]:4711"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(told(&["[2001:db8::1]"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(told(&["192.0.2.9, unknown"]), None);
        assert_eq!(told(&[]), None);
    }
}
