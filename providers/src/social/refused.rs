//! What looks like a profile and is none: pages of a network, short links, ways to reach a phone.
//!
//! Invariant: lists are lower case; a refusal carries a reason of ours and nothing of the text.

use super::ProfileError;

/// Hosts of links that say nothing before they are followed.
const SHORT_LINKS: &[&str] = &[
    "a.co",
    "amzn.to",
    "bit.ly",
    "bitly.com",
    "buff.ly",
    "cutt.ly",
    "dlvr.it",
    "dub.sh",
    "fb.watch",
    "flic.kr",
    "git.io",
    "goo.gl",
    "hubs.ly",
    "is.gd",
    "j.mp",
    "kutt.it",
    "lnkd.in",
    "maps.app.goo.gl",
    "on.soundcloud.com",
    "ow.ly",
    "pin.it",
    "rb.gy",
    "rebrand.ly",
    "redd.it",
    "s.id",
    "shorturl.at",
    "snip.ly",
    "spoti.fi",
    "spotify.link",
    "t.co",
    "t.ly",
    "t.snapchat.com",
    "tiny.cc",
    "tinyurl.com",
    "tmblr.co",
    "trib.al",
    "v.gd",
    "vm.tiktok.com",
    "vt.tiktok.com",
    "wp.me",
    "xing.to",
    "youtu.be",
    "zpr.io",
];

/// Hosts whose addresses carry a telephone number or an invitation.
const CONTACTS: &[&str] = &[
    "api.whatsapp.com",
    "chat.whatsapp.com",
    "discord.gg",
    "discord.me",
    "join.skype.com",
    "line.me",
    "signal.group",
    "signal.me",
    "viber.me",
    "wa.link",
    "wa.me",
    "web.whatsapp.com",
    "whatsapp.com",
];

/// Copies of other networks, run by strangers.
const MIRRORS: &[&str] = &[
    "fixupx.com",
    "fixvx.com",
    "fxtwitter.com",
    "invidious.io",
    "libredd.it",
    "nitter.it",
    "nitter.net",
    "nitter.poast.org",
    "vxtwitter.com",
    "xcancel.com",
];

/// Words that stand directly under a host for a page of the network itself.
const PAGE_WORDS: &[&str] = &[
    "about",
    "abuse",
    "account",
    "accounts",
    "ads",
    "advertise",
    "advertising",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "blog",
    "business",
    "careers",
    "category",
    "channel",
    "channels",
    "collections",
    "community",
    "companies",
    "company",
    "compose",
    "contact",
    "cookies",
    "copyright",
    "create",
    "dashboard",
    "developer",
    "developers",
    "dialog",
    "directory",
    "discover",
    "docs",
    "download",
    "downloads",
    "embed",
    "enterprise",
    "events",
    "explore",
    "faq",
    "favicon.ico",
    "features",
    "feed",
    "feeds",
    "forgot_password",
    "group",
    "groups",
    "guidelines",
    "hashtag",
    "help",
    "home",
    "i",
    "images",
    "imprint",
    "inbox",
    "index.html",
    "index.php",
    "intent",
    "jobs",
    "join",
    "legal",
    "login",
    "logout",
    "marketplace",
    "me",
    "media",
    "messages",
    "mobile",
    "new",
    "news",
    "notifications",
    "oauth",
    "oembed",
    "organization",
    "organizations",
    "orgs",
    "p",
    "page",
    "pages",
    "password",
    "people",
    "pin",
    "plans",
    "policies",
    "policy",
    "popular",
    "post",
    "posts",
    "premium",
    "press",
    "pricing",
    "privacy",
    "profile",
    "register",
    "registration",
    "robots.txt",
    "rss",
    "safety",
    "search",
    "security",
    "session",
    "sessions",
    "settings",
    "share",
    "sharer",
    "shop",
    "sign-in",
    "sign-up",
    "sign_in",
    "sign_up",
    "signin",
    "signout",
    "signup",
    "sitemap",
    "site",
    "static",
    "status",
    "store",
    "stories",
    "story",
    "support",
    "tag",
    "tagged",
    "tags",
    "team",
    "teams",
    "terms",
    "topic",
    "topics",
    "tos",
    "trending",
    "upload",
    "user",
    "username",
    "users",
    "video",
    "videos",
    "watch",
    "welcome",
    "wp-admin",
    "www",
];

/// What software writes where it knows no name.
const NO_NAMES: &[&str] =
    &["", "-", "false", "n-a", "na", "nan", "nil", "none", "null", "true", "undefined", "unknown"];

pub(super) fn is_page_word(id: &str) -> bool {
    let lower = id.to_ascii_lowercase();
    PAGE_WORDS.contains(&lower.as_str())
}

pub(super) fn is_no_name(id: &str) -> bool {
    NO_NAMES.iter().any(|word| word.eq_ignore_ascii_case(id))
}

/// The refusal that a host deserves whatever the path.
pub(super) fn host(host: &str) -> Option<ProfileError> {
    let bare = host.strip_prefix("www.").or_else(|| host.strip_prefix("m.")).unwrap_or(host);
    if SHORT_LINKS.contains(&bare) {
        return Some(ProfileError::ShortLink);
    }
    if CONTACTS.contains(&bare) {
        return Some(ProfileError::Contact);
    }
    MIRRORS.contains(&bare).then_some(ProfileError::NotAProfile("a mirror of another network"))
}

/// Why a page of a network is not a person's profile, by the first word of its path.
pub(super) fn page(first: &str) -> ProfileError {
    let lower = first.to_ascii_lowercase();
    ProfileError::NotAProfile(match lower.trim_start_matches('@') {
        "company" | "companies" | "school" | "showcase" | "organization" | "organizations" | "orgs"
        | "org" | "pages" | "pg" | "page" | "team" | "teams" | "business" => "an organisation's page",
        "group" | "groups" | "g" | "community" | "communities" | "r" | "club" => "a group",
        "event" | "events" => "an event",
        "share" | "sharer" | "sharer.php" | "sharing" | "sharearticle" | "intent" | "dialog" => {
            "a link for sharing"
        }
        "p" | "post" | "posts" | "status" | "watch" | "reel" | "reels" | "tv" | "shorts" | "video"
        | "videos" | "photo" | "photos" | "pin" | "story" | "stories" | "gallery" | "clip" | "wall"
        | "album" | "item" | "feed" | "questions" | "playlist" | "permalink.php" | "story.php"
        | "photo.php" => "a post",
        "search" | "explore" | "discover" | "tag" | "tags" | "hashtag" | "topic" | "topics" | "jobs"
        | "directory" | "tagged" | "results" | "trending" => "a listing",
        "login" | "signin" | "signup" | "register" | "join" | "account" | "accounts" | "login.php" | "i" => {
            "a page for signing in"
        }
        "joinchat" | "invite" | "addstickers" => "an invitation",
        text if text.starts_with('+') => "an invitation",
        word if is_page_word(word) => "a page of the network itself",
        _ => "no account name where the network keeps them",
    })
}
