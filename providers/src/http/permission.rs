//! Whether a site lets robots read a page: its robots.txt, fetched through the same gates and kept for a day.
//!
//! RFC 9309 section 2.3.1: a file that is not there (4xx) restricts nothing; one that cannot be had for now (5xx, 429,
//! no answer) closes the whole site, for us a day long. Where the rules are looked for: at the origin's
//! `/robots.txt`; for pages that are asked through an operator's own endpoint, beside the page, which there stands for
//! the site's root.
//!
//! Invariant: no page is asked for before its robots.txt is known; many who ask at once fetch it once.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use url::Url;

use super::exchange::{self, Halt, Hop};
use super::guard::{self, Route};
use super::{Request, Response};
use crate::error::LookupError;
use crate::memo::Memo;
use crate::robots::{Robots, Rules};

/// Our product token, by which a robots.txt may name us.
pub const PRODUCT: &str = "Gleaner";

/// Origins whose rules are remembered, and the weight of rules that are worth it.
const MOST_ORIGINS: usize = 4_096;
const HEAVIEST_RULES: usize = 16 << 10;

/// How long a robots.txt may take, redirects included.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// What is known of the sites' rules.
#[derive(Debug)]
pub(super) struct Permissions(Memo<Welcome>);

/// What an origin says to robots.
#[derive(Clone, Debug)]
enum Welcome {
    Rules(Arc<Rules>),
    /// Nothing that could be read: nobody is there, or it cannot be said for now.
    Closed(LookupError),
}

impl Permissions {
    pub(super) fn new() -> Self {
        let weigh = |welcome: &Welcome| match welcome {
            Welcome::Rules(rules) => rules.weight(),
            Welcome::Closed(_) => 0,
        };
        Self(Memo::new(MOST_ORIGINS, weigh, HEAVIEST_RULES))
    }

    /// Passes if robots may ask for this page; gives the pause that the site wants between two pages.
    pub(super) async fn ask(
        &self,
        request: &Request<'_>,
        hop: &Hop,
        patience: &mut Duration,
    ) -> Result<Duration, Halt> {
        let (file, path) = robots_of(&hop.url, hop.route)?;
        let begun = Instant::now();
        let longest = *patience + FETCH_TIMEOUT;
        let mut has_fetched = false;
        let fetch = async {
            has_fetched = true;
            fetch(request, file.clone(), patience).await
        };
        let welcome = timeout(longest, self.0.get(file.as_str(), fetch)).await;
        if !has_fetched {
            *patience = patience.saturating_sub(begun.elapsed());
        }
        match welcome.unwrap_or_else(|_| Ok(Welcome::Closed(cannot_say())))? {
            Welcome::Closed(error) => Err(error.into()),
            Welcome::Rules(rules) if rules.verdict(&path).allowed => {
                Ok(rules.crawl_delay().unwrap_or_default())
            }
            Welcome::Rules(_) => {
                Err(LookupError::Forbidden { reason: "robots.txt does not let us read the page".into() }
                    .into())
            }
        }
    }
}

/// Where the rules for a page are, and the page's path as they see it.
fn robots_of(page: &Url, route: Route) -> Result<(Url, String), LookupError> {
    let (root, file) = match route {
        Route::Guarded => ("/", page.join("/robots.txt")),
        Route::Trusted => {
            let (root, _) = page.path().rsplit_once('/').unwrap_or_default();
            (root, page.join("robots.txt"))
        }
    };
    let file = file.map_err(|_| LookupError::malformed("a page whose site has no robots.txt"))?;
    let path = page.path().strip_prefix(root.trim_end_matches('/')).unwrap_or(page.path());
    let query = page.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok((file, format!("{path}{query}")))
}

/// Fetches and reads the rules. What fails for our own reasons is an error, and not remembered. Boxed, because the
/// exchange that fetches is the one that asks.
fn fetch<'a>(
    request: &'a Request<'_>,
    file: Url,
    patience: &'a mut Duration,
) -> Pin<Box<dyn Future<Output = Result<Welcome, Halt>> + Send + 'a>> {
    Box::pin(async move {
        let errand = Request::for_robots(request.client, file);
        let route = guard::route(&errand.url, &request.client.door.limits)?;
        match exchange::follow(&errand, route, patience).await {
            Ok(response) => Ok(welcome(&response)),
            // A site that is not there, or where we must not go: the same holds for its pages.
            Err(Halt::Failed(error @ (LookupError::Unreachable { .. } | LookupError::Forbidden { .. }))) => {
                Ok(Welcome::Closed(error))
            }
            Err(Halt::Failed(_) | Halt::Lost(_)) => Ok(Welcome::Closed(cannot_say())),
            Err(halt) => Err(halt),
        }
    })
}

fn welcome(response: &Response) -> Welcome {
    match response.status() {
        200..=299 => Welcome::Rules(Arc::new(Robots::parse(response.body()).rules_for(PRODUCT))),
        429 | 500.. => Welcome::Closed(cannot_say()),
        _ => Welcome::Rules(Arc::new(Rules::none())),
    }
}

fn cannot_say() -> LookupError {
    LookupError::refused("the site cannot say what robots may read")
}
