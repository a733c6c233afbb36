//! GitHub's bodies.
//!
//! Invariant: field names and nulls as GitHub sends them.

use serde::Serialize;

use crate::sandbox::draw;
use crate::sandbox::population::{Distortion, Person, Portrait};

#[derive(Serialize)]
pub(super) struct Users {
    total_count: usize,
    incomplete_results: bool,
    items: Vec<UserItem>,
}

#[derive(Serialize)]
struct UserItem {
    login: String,
    id: u64,
    node_id: String,
    avatar_url: String,
    url: String,
    html_url: String,
    r#type: &'static str,
    site_admin: bool,
    score: f32,
}

impl Users {
    pub(super) fn of(portrait: Option<&Portrait>) -> Self {
        let items: Vec<UserItem> =
            portrait.map(|portrait| UserItem::of(&portrait.person)).into_iter().collect();
        Self { total_count: items.len(), incomplete_results: false, items }
    }
}

impl UserItem {
    fn of(person: &Person) -> Self {
        let (login, id) = (person.login().to_owned(), id(person));
        Self {
            id,
            node_id: format!("U_kgDO{id}"),
            avatar_url: format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            url: format!("https://api.github.com/users/{login}"),
            html_url: format!("https://github.com/{login}"),
            r#type: kind(person),
            site_admin: false,
            score: 1.0,
            login,
        }
    }
}

#[derive(Serialize)]
pub(super) struct User<'a> {
    login: &'a str,
    id: u64,
    node_id: String,
    avatar_url: String,
    url: String,
    html_url: String,
    r#type: &'static str,
    site_admin: bool,
    name: Option<String>,
    company: Option<String>,
    blog: String,
    location: Option<&'a str>,
    email: Option<&'a str>,
    hireable: Option<bool>,
    bio: Option<&'a str>,
    twitter_username: Option<&'a str>,
    public_repos: u32,
    followers: u32,
    following: u32,
    created_at: &'static str,
    updated_at: &'static str,
}

impl<'a> User<'a> {
    /// `email` is known for listed people only: the others are known by their hash.
    pub(super) fn of(portrait: &'a Portrait, signed_in: bool) -> Self {
        let person = &portrait.person;
        let (login, id) = (person.login(), id(person));
        let mut rng = draw::stream(id, "github user", &[login.as_bytes()]);
        let nickname = person.name.nickname(&mut rng);
        let blog = match rng.u8(..4) {
            0 => person.site(),
            1 => format!("http://{}/", person.site()),
            _ => String::new(),
        };
        let email = if portrait.has(Distortion::OtherEmail) {
            Some("somebody.else@example.net")
        } else {
            person.address.as_deref()
        };
        Self {
            login,
            id,
            node_id: format!("U_kgDO{id}"),
            avatar_url: format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            url: format!("https://api.github.com/users/{login}"),
            html_url: format!("https://github.com/{login}"),
            r#type: kind(person),
            site_admin: false,
            name: if portrait.has(Distortion::NullName) {
                None
            } else if portrait.has(Distortion::Nickname) {
                Some(nickname)
            } else {
                Some(person.name.full.clone())
            },
            company: rng.bool().then(|| format!("@{}", person.company.replace(' ', "-").to_lowercase())),
            blog,
            location: rng.bool().then_some(person.location),
            email: email.filter(|_| signed_in),
            hireable: None,
            bio: rng.bool().then_some(person.job_title),
            twitter_username: person.account("twitter").map(|account| account.handle.as_str()),
            public_repos: rng.u32(..200),
            followers: rng.u32(..2000),
            following: rng.u32(..300),
            created_at: "2015-05-01T10:00:00Z",
            updated_at: "2026-10-01T10:00:00Z",
        }
    }
}

#[derive(Serialize)]
pub(super) struct SocialAccount<'a> {
    provider: &'a str,
    url: &'a str,
}

/// The accounts that the person lists beside their GitHub profile; `twitter_username` repeats one.
pub(super) fn social_accounts(person: &Person) -> Vec<SocialAccount<'_>> {
    let listed = person.accounts.iter().filter(|account| account.network != "github").take(4);
    listed.map(|account| SocialAccount { provider: provider(account.network), url: &account.url }).collect()
}

/// GitHub's word for a network; it has one for some, and `generic`.
fn provider(network: &str) -> &str {
    match network {
        "twitter" | "linkedin" | "facebook" | "instagram" | "youtube" | "mastodon" | "bluesky" => network,
        _ => "generic",
    }
}

#[derive(Serialize)]
pub(super) struct Commits<'a> {
    total_count: usize,
    incomplete_results: bool,
    items: Vec<CommitItem<'a>>,
}

#[derive(Serialize)]
struct CommitItem<'a> {
    sha: String,
    html_url: String,
    commit: Commit<'a>,
    /// The linked account; null where GitHub knows none for the address.
    author: Option<Author<'a>>,
    score: f32,
}

#[derive(Serialize)]
struct Commit<'a> {
    author: Signature<'a>,
    committer: Signature<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Signature<'a> {
    name: &'a str,
    email: &'a str,
    date: &'a str,
}

#[derive(Serialize)]
struct Author<'a> {
    login: &'a str,
    id: u64,
    r#type: &'a str,
}

impl<'a> Commits<'a> {
    pub(super) fn of(portrait: Option<&'a Portrait>, email: &'a str) -> Self {
        let items: Vec<CommitItem<'a>> =
            portrait.map(|portrait| CommitItem::of(portrait, email)).into_iter().collect();
        Self { total_count: items.len(), incomplete_results: false, items }
    }
}

impl<'a> CommitItem<'a> {
    fn of(portrait: &'a Portrait, email: &'a str) -> Self {
        let person = &portrait.person;
        let sha = format!("{0:016x}{0:016x}{1:08x}", draw::digest(0, "commit", &[&person.key.bytes()]), 0);
        let signature = |date| Signature { name: &person.name.full, email, date };
        let linked = !portrait.has(Distortion::CommitsOnly);
        Self {
            html_url: format!("https://github.com/example-org/example/commit/{sha}"),
            sha,
            commit: Commit {
                author: signature("2025-02-03T04:05:06.000Z"),
                committer: signature("2025-02-03T04:05:06.000Z"),
                message: "Mend the gate",
            },
            author: linked.then(|| Author { login: person.login(), id: id(person), r#type: kind(person) }),
            score: 1.0,
        }
    }
}

fn id(person: &Person) -> u64 {
    person.account("github").and_then(|account| account.id.as_deref()?.parse().ok()).unwrap_or_default()
}

const fn kind(person: &Person) -> &'static str {
    if person.is_organization { "Organization" } else { "User" }
}
