//! What every request passes before and after its handler: host, site, token; the request's id, headers, the log line.
//!
//! A page in a browser can be led to a door on loopback (DNS rebinding), so a foreign `Host` and a cross-site request are
//! refused before anything else. Probes are spared the check of `Host`, because they come with an address and learn nothing.
//!
//! Invariant: nothing under `/v1/` is reached without a token, and no answer may be stored or sniffed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, HOST, HeaderMap, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::Instant;

use super::Desk;
use super::answer::Problem;
use super::limits::DELAY;
use super::server::Peer;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SEC_FETCH_SITE: &str = "sec-fetch-site";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Whose token a request came with.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) Arc<str>);

/// How a request is named in the log: its address may hold what a stranger typed.
fn route(path: &str) -> &'static str {
    match path {
        "/v1/registrations" => "/v1/registrations",
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        "/openapi.json" => "/openapi.json",
        _ if path.starts_with("/v1/registrations/") => "/v1/registrations/{member_id}",
        _ => "elsewhere",
    }
}

/// Runs a request.
pub(super) async fn enter(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = desk.request_ids.next();
    let route = route(request.uri().path());
    let method = known(request.method());
    let admitted = admit(&desk, &request);
    let caller = admitted.as_ref().ok().cloned().flatten();
    let response = match admitted {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(problem) => {
            if problem.status() == StatusCode::UNAUTHORIZED {
                tokio::time::sleep(DELAY).await;
            }
            problem.into_response()
        }
    };
    let problem = response.extensions().get::<Problem>().cloned();
    let mut response = match &problem {
        Some(problem) => problem.write(&request_id),
        None => response,
    };
    dress(response.headers_mut(), &request_id);
    tracing::debug!(
        request = request_id,
        method,
        route,
        status = response.status().as_u16(),
        problem = problem.as_ref().map(Problem::kind),
        caller = caller.as_ref().map(|Caller(name)| &**name),
        took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "HTTP request"
    );
    response
}

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Lets a request in, with its caller where it needs one.
fn admit(desk: &Desk, request: &Request) -> Result<Option<Caller>, Problem> {
    let path = request.uri().path();
    let headers = request.headers();
    if !matches!(path, "/healthz" | "/readyz") && !desk.hosts.are_asked(request.uri(), headers) {
        return Err(Problem::foreign_host());
    }
    if desk.hosts.is_cross_site(headers) {
        return Err(Problem::cross_site());
    }
    if !path.starts_with("/v1/") {
        return Ok(None);
    }
    let presented = bearer(headers);
    if let Some(name) = presented.and_then(|token| desk.tokens.caller(token)) {
        return Ok(Some(Caller(name.into())));
    }
    if let Some(wait) = source(desk, request).and_then(|source| desk.failures.count(source)) {
        return Err(Problem::locked(wait));
    }
    Err(Problem::unauthorized(presented.is_some()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where a request came from. Only the proxy's own entry, the last, can be believed.
fn source(desk: &Desk, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    if !desk.settings.behind_proxy {
        return peer;
    }
    let forwarded = request.headers().get_all(FORWARDED_FOR).iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.or(peer)
}

/// What keeps an answer from being stored, sniffed or told to others.
fn dress(headers: &mut HeaderMap, request_id: &str) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The names under which the door is asked.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(listen: IpAddr, named: &[String]) -> Self {
        let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        let listen = match listen {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let all = own.into_iter().chain([listen]).chain(named.iter().cloned());
        Self(all.map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether a request is meant for this door. Where it names its host twice, both must be ours.
    fn are_asked(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return false };
        let absolute = uri.authority().is_none_or(|authority| self.has(authority.as_str()));
        absolute && host.to_str().is_ok_and(|host| self.has(host))
    }

    /// Whether a browser says that a page of another site sent this.
    fn is_cross_site(&self, headers: &HeaderMap) -> bool {
        let site = headers.get(SEC_FETCH_SITE);
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return true;
        }
        let ours = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| self.has(host));
        headers.get(ORIGIN).is_some_and(|origin| !origin.to_str().is_ok_and(ours))
    }

    /// Whether `host`, with or without a port, is one of ours.
    fn has(&self, host: &str) -> bool {
        let end = if host.starts_with('[') { host.find(']').map(|end| end + 1) } else { host.find(':') };
        let (name, port) = host.split_at(end.unwrap_or(host.len()));
        let is_port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.strip_suffix('.').unwrap_or(name);
        is_port && self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::new("127.0.0.5".parse().unwrap(), &["Gleaner.example.com".to_owned()])
    }

    #[test]
    fn only_the_doors_own_names_are_served() {
        for good in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
            "127.0.0.5:8080",
            "gleaner.example.com",
            "GLEANER.example.com.:443",
        ] {
            assert!(hosts().has(good), "{good}");
        }
        for bad in [
            "",
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com",
            "localhost:80:80",
            "localhost:x",
            "user@localhost",
            "[::1",
            "[::2]",
            "::1",
            "127.0.0.2",
            "gleaner.example.com/",
        ] {
            assert!(!hosts().has(bad), "{bad}");
        }
    }

    #[test]
    fn a_request_names_its_host_once() {
        let asked = |uri: &str, named: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in named {
                headers.append(HOST, HeaderValue::from_str(host).unwrap());
            }
            hosts().are_asked(&uri.parse().unwrap(), &headers)
        };
        assert!(asked("/healthz", &["localhost"]));
        assert!(asked("http://localhost/healthz", &["localhost:8080"]));
        assert!(!asked("/healthz", &[]));
        assert!(!asked("/healthz", &["localhost", "localhost"]));
        assert!(!asked("http://evil.example.com/", &["localhost"]));
        assert!(!asked("http://localhost/", &["evil.example.com"]));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let crosses = |name: &'static str, value: &'static str| {
            hosts().is_cross_site(&HeaderMap::from_iter([(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )]))
        };
        for (value, crossing) in
            [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true)]
        {
            assert_eq!(crosses(SEC_FETCH_SITE, value), crossing, "{value}");
        }
        for (value, crossing) in [
            ("http://localhost:8080", false),
            ("https://gleaner.example.com", false),
            ("https://evil.example.com", true),
            ("null", true),
            ("localhost", true),
        ] {
            assert_eq!(crosses("origin", value), crossing, "{value}");
        }
        assert!(!hosts().is_cross_site(&HeaderMap::new()));
    }

    #[test]
    fn a_token_follows_the_word_bearer() {
        let token = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(token("bearer  abc "), Some("abc".to_owned()));
        for none in ["abc", "Basic abc", "Bearer", ""] {
            assert_eq!(token(none), None, "{none}");
        }
    }
}
