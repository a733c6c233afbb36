//! Texts that are no person's profile, and the kind of refusal that each gets.

use super::super::{ProfileError, SocialProfile};

fn refusal(text: &str) -> ProfileError {
    match SocialProfile::parse(text) {
        Ok(profile) => panic!("{text} became {}", profile.key()),
        Err(error) => error,
    }
}

const PAGES: &[&str] = &[
    "https://x.com/i/flow/login",
    "https://x.com/home",
    "https://twitter.com/search?q=ada",
    "https://x.com/",
    "https://twitter.com/intent/tweet?text=ada",
    "https://twitter.com/share?url=x",
    "https://x.com/hashtag/ada",
    "https://x.com/name_longer_than_15_chars",
    "https://x.com/ada-example",
    "https://help.x.com/en",
    "https://www.linkedin.com/company/example",
    "https://www.linkedin.com/school/example",
    "https://www.linkedin.com/feed/",
    "https://www.linkedin.com/jobs/view/1",
    "https://www.linkedin.com/posts/ada_x-1",
    "https://www.linkedin.com/pub/dir/Ada/Example",
    "https://www.linkedin.com/shareArticle?url=x",
    "https://www.linkedin.com/in/",
    "https://www.facebook.com/groups/1",
    "https://www.facebook.com/events/1",
    "https://www.facebook.com/sharer/sharer.php?u=x",
    "https://www.facebook.com/sharer.php?u=x",
    "https://www.facebook.com/pages/Example/1",
    "https://www.facebook.com/watch/?v=1",
    "https://www.facebook.com/home.php",
    "https://www.facebook.com/profile.php",
    "https://www.facebook.com/login.php",
    "https://l.facebook.com/l.php?u=x",
    "https://www.instagram.com/p/Cx/",
    "https://www.instagram.com/reel/Cx/",
    "https://www.instagram.com/explore/",
    "https://www.instagram.com/ada..example",
    "https://github.com/orgs/example",
    "https://github.com/topics/rust",
    "https://github.com/ada-example/repo",
    "https://github.com/login",
    "https://github.com/-ada",
    "https://github.com/ada--example",
    "https://docs.github.com/en",
    "https://gitlab.com/-/profile",
    "https://www.youtube.com/watch?v=x",
    "https://www.youtube.com/playlist?list=x",
    "https://www.youtube.com/shorts/x",
    "https://www.youtube.com/channel/UCshort",
    "https://vimeo.com/123456789",
    "https://vimeo.com/channels/x",
    "https://www.tiktok.com/tag/x",
    "https://www.tiktok.com/discover",
    "https://www.reddit.com/r/rust",
    "https://www.reddit.com/user/[deleted]",
    "https://medium.com/p/1",
    "https://medium.com/example-publication",
    "https://stackoverflow.com/questions/1",
    "https://pt.stackoverflow.com/users/1",
    "https://keybase.io/team/x",
    "https://orcid.org/0000-0000-0000-0424",
    "https://sandbox.orcid.org/0000-0000-0000-0423",
    "https://t.me/+AbCdEf",
    "https://t.me/joinchat/AbCdEf",
    "https://t.me/addstickers/x",
    "https://www.twitch.tv/directory",
    "https://clips.twitch.tv/x",
    "https://soundcloud.com/discover",
    "https://www.flickr.com/groups/x",
    "https://angel.co/company/example",
    "https://www.crunchbase.com/organization/example",
    "https://vk.com/club1",
    "https://vk.com/wall-1_2",
    "https://gravatar.com/avatar/0",
    "https://news.ycombinator.com/item?id=1",
    "https://www.pinterest.com/pin/1",
    "https://bsky.app/profile/handle.invalid",
    "https://bsky.app/search",
    "https://discord.com/invite/abc",
    "https://www.quora.com/topic/x",
    "https://www.xing.com/pages/x",
    "https://nitter.net/ada_example",
    "@ada@github.com",
    "https://big.example.net/@ada@github.com",
    "https://github.com/null",
    "https://x.com/undefined",
];

#[test]
fn pages_of_a_network_are_no_profiles() {
    for text in PAGES {
        let error = refusal(text);
        assert!(matches!(error, ProfileError::NotAProfile(_)), "{text}: {error:?}");
    }
}

#[test]
fn the_reason_names_the_kind_of_page() {
    for (text, reason) in [
        ("https://www.linkedin.com/company/example", "an organisation's page"),
        ("https://www.facebook.com/groups/1", "a group"),
        ("https://twitter.com/intent/tweet?text=ada", "a link for sharing"),
        ("https://www.instagram.com/p/Cx/", "a post"),
        ("https://twitter.com/search?q=ada", "a listing"),
        ("https://x.com/i/flow/login", "a page for signing in"),
        ("https://t.me/+AbCdEf", "an invitation"),
        ("https://github.com/settings/profile", "a page of the network itself"),
    ] {
        assert_eq!(refusal(text), ProfileError::NotAProfile(reason), "{text}");
    }
}

#[test]
fn short_links_are_not_kept_unresolved() {
    for text in [
        "https://t.co/abc",
        "http://bit.ly/abc",
        "https://lnkd.in/abc",
        "https://pin.it/abc",
        "https://vm.tiktok.com/abc/",
        "https://on.soundcloud.com/abc",
        "https://youtu.be/abc",
        "https://fb.me/1GgRuVZzM",
        "https://www.bit.ly/abc",
        "tinyurl.com/abc",
        "https://redd.it/abc",
        "https://goo.gl/abc",
        "T.CO/abc",
        "https://t.co./abc",
    ] {
        assert_eq!(refusal(text), ProfileError::ShortLink, "{text}");
    }
}

#[test]
fn ways_to_reach_somebody_are_never_kept() {
    for text in [
        "https://wa.me/15550100",
        "https://api.whatsapp.com/send?phone=15550100",
        "tel:+15550100",
        "skype:ada?call",
        "mailto:ada@example.com",
        "MAILTO:ada@example.com",
        "ada@example.com",
        "https://discord.gg/abc",
        "sms:15550100",
        "https://chat.whatsapp.com/abc",
        "twitter.com@evil.example",
    ] {
        assert_eq!(refusal(text), ProfileError::Contact, "{text}");
    }
}

#[test]
fn hostile_addresses_are_refused() {
    for text in [
        "https://twitter.com@evil.example/ada",
        "https://ada:secret@github.com/ada",
        "https://@github.com/ada",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.com/ada",
        "vbscript:x",
        "blob:https://example.com/x",
        "http://127.0.0.1/ada",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/ada",
        "http://localhost/ada",
        "http://localhost:8080/",
        "http://intranet/ada",
        "http://printer.local/",
        "http://db.internal/",
        "http://router.lan",
        "http://x.onion/ada",
        "http://１２７.0.0.1/",
    ] {
        let error = refusal(text);
        assert!(matches!(error, ProfileError::Unsafe(_)), "{text}: {error:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    for text in ["", "   ", "\u{200b}", "()", "...", "/", "//"] {
        assert_eq!(refusal(text), ProfileError::Empty, "{text:?}");
    }
    for text in [
        "ada_example",
        "@ada",
        "see my blog at example.com",
        "https://x.com/ada example",
        "java\nscript:alert(1)",
        "https://github.com/\u{0}ada",
        "https:\\\\github.com\\ada",
        "<a href=\"https://x.com/ada\">",
        "n/a",
        "none",
        "https://",
        "http:///",
        "https://exa mple.com",
        "README.txt",
        "https://example..com",
        "@ada@",
        "@@x",
        "@ada@b c",
        "0000-0000-0000-0424x",
    ] {
        let error = refusal(text);
        assert!(matches!(error, ProfileError::Malformed(_)), "{text:?}: {error:?}");
    }
    assert!(SocialProfile::parse(&format!("https://example.com/{}", "a".repeat(3000))).is_err());
}

#[test]
fn accounts_that_are_none_are_refused() {
    for (network, account) in [
        ("twitter", ""),
        ("twitter", "@"),
        ("twitter", "home"),
        ("twitter", "a b"),
        ("twitter", "null"),
        ("github", "none"),
        ("twitter", "ada@example.com"),
        ("linkedin", "company/example"),
        ("facebook", "groups/1"),
        ("mastodon", "ada"),
        ("bluesky", "ada"),
        ("orcid", "0000-0000-0000-0424"),
        ("stackoverflow", "ada"),
        ("discord", "Ada#1234"),
        ("telegram", "+15550100"),
        ("whatsapp", "15550100"),
        ("skype", "ada.example"),
        ("instagram", "ada/../x"),
        ("github", "../../evil"),
        ("website", "ada"),
        ("twitter", "javascript:alert(1)"),
        ("youtube", "watch?v=x"),
        ("twitter", "N/A"),
        // Once read for ever.
        ("bluesky", "did://x"),
    ] {
        assert!(SocialProfile::on_network(network, account).is_err(), "{network} {account}");
    }
}
