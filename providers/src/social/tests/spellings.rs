//! Spelling in, key and canonical address out.

use super::super::{ProfileError, SocialProfile, networks};

/// Text, key, canonical address; an empty address is not looked at.
type Row = (&'static str, &'static str, &'static str);

/// The pairs that the design fixes.
const FIXED: &[Row] = &[
    ("http://www.twitter.com/@Ada_Example?lang=en", "twitter:ada_example", "https://x.com/Ada_Example"),
    (
        "https://mobile.twitter.com/intent/user?screen_name=ada_example",
        "twitter:ada_example",
        "https://x.com/ada_example",
    ),
    (
        "linkedin.com/in/Ada-Example-1a2b3c/en?trk=x",
        "linkedin:ada-example-1a2b3c",
        "https://www.linkedin.com/in/ada-example-1a2b3c",
    ),
    (
        "https://de.linkedin.com/in/j%C3%BCrgen-m%C3%BCller-1",
        "linkedin:jürgen-müller-1",
        "https://www.linkedin.com/in/j%C3%BCrgen-m%C3%BCller-1",
    ),
    (
        "https://www.linkedin.com/in/ACoAAtEsT0001",
        "linkedin#urn:ACoAAtEsT0001",
        "https://www.linkedin.com/in/ACoAAtEsT0001",
    ),
    (
        "https://m.facebook.com/profile.php?id=100000000000001&sk=about",
        "facebook#id:100000000000001",
        "https://www.facebook.com/profile.php?id=100000000000001",
    ),
    (
        "https://www.facebook.com/people/Ada-Example/100000000000001/",
        "facebook#id:100000000000001",
        "https://www.facebook.com/profile.php?id=100000000000001",
    ),
    ("fb.com/Ada.Example", "facebook:adaexample", "https://www.facebook.com/Ada.Example"),
    (
        "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv",
        "youtube#channel:UCabcdefghijklmnopqrstuv",
        "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv",
    ),
    ("https://youtube.com/@AdaExample/videos", "youtube:adaexample", "https://www.youtube.com/@AdaExample"),
    (
        "https://big.example.net/@ada@social.example.com",
        "mastodon:ada@social.example.com",
        "https://social.example.com/@ada",
    ),
    ("@ada@social.example.com", "mastodon:ada@social.example.com", "https://social.example.com/@ada"),
    ("https://threads.net/@ada.example", "threads:ada.example", "https://www.threads.com/@ada.example"),
    ("https://angel.co/u/ada-example", "wellfound:ada-example", "https://wellfound.com/u/ada-example"),
    (
        "https://stackoverflow.com/users/9900001/ada-example?tab=profile",
        "stackoverflow#id:9900001",
        "https://stackoverflow.com/users/9900001",
    ),
    ("https://vimeo.com/user9900001", "vimeo#id:9900001", "https://vimeo.com/user9900001"),
    ("0000-0000-0000-0423", "orcid:0000-0000-0000-0423", "https://orcid.org/0000-0000-0000-0423"),
    (
        "https://news.ycombinator.com/user?id=AdaEx",
        "hackernews:AdaEx",
        "https://news.ycombinator.com/user?id=AdaEx",
    ),
];

const MEETING: &[Row] = &[
    ("https://x.com/ada_example/status/1234567890", "twitter:ada_example", ""),
    ("https://twitter.com/#!/ada_example", "twitter:ada_example", ""),
    ("HTTPS://TWITTER.COM/Ada_Example/", "twitter:ada_example", "https://x.com/Ada_Example"),
    ("https://x.com/i/user/12345", "twitter#id:12345", "https://x.com/i/user/12345"),
    ("x.com/ada_example.", "twitter:ada_example", "https://x.com/ada_example"),
    ("(https://x.com/ada_example)", "twitter:ada_example", ""),
    ("<https://x.com/ada_example>,", "twitter:ada_example", ""),
    ("//x.com/ada_example", "twitter:ada_example", ""),
    ("https://x.com:443//ada_example#top", "twitter:ada_example", ""),
    ("https://x.com./ada_example", "twitter:ada_example", ""),
    ("https://twitter.com/%40ada_example", "twitter:ada_example", ""),
    ("https://www.linkedin.com/mwlite/in/ada-example", "linkedin:ada-example", ""),
    ("http://uk.linkedin.com/in/ada-example/", "linkedin:ada-example", ""),
    ("https://www.linkedin.com/in/ada-example/detail/recent-activity/", "linkedin:ada-example", ""),
    (
        "https://www.linkedin.com/in/ju\u{308}rgen",
        "linkedin:jürgen",
        "https://www.linkedin.com/in/j%C3%BCrgen",
    ),
    (
        "https://www.linkedin.com/pub/ada-example/1/2a/3b4",
        "linkedin#pub:ada-example/1/2a/3b4",
        "https://www.linkedin.com/pub/ada-example/1/2a/3b4",
    ),
    ("https://www.linkedin.com/sales/lead/ACwAAtEsT0001,NAME_SEARCH,x", "linkedin#urn:ACwAAtEsT0001", ""),
    ("https://www.linkedin.com/profile/view?id=12345", "linkedin#id:12345", ""),
    ("https://mbasic.facebook.com/ada.example/about", "facebook:adaexample", ""),
    ("https://de-de.facebook.com/ada.example", "facebook:adaexample", ""),
    ("https://www.facebook.com/100000000000001", "facebook#id:100000000000001", ""),
    ("https://www.facebook.com/p/Ada-Example-100000000000001/", "facebook#id:100000000000001", ""),
    ("https://fb.me/ada.example", "facebook:adaexample", ""),
    (
        "https://www.instagram.com/Ada.Example/?igshid=x",
        "instagram:ada.example",
        "https://www.instagram.com/Ada.Example",
    ),
    ("https://instagr.am/ada.example", "instagram:ada.example", ""),
    ("https://instagram.com/_u/ada.example", "instagram:ada.example", ""),
    ("https://www.instagram.com/stories/ada.example/123", "instagram:ada.example", ""),
    ("https://www.threads.com/@ada.example/post/Cx", "threads:ada.example", ""),
    ("@ada.example@threads.net", "threads:ada.example", ""),
    (
        "https://bsky.app/profile/Ada.Example.com/post/3k",
        "bluesky:ada.example.com",
        "https://bsky.app/profile/Ada.Example.com",
    ),
    ("https://ada.bsky.social", "bluesky:ada.bsky.social", "https://bsky.app/profile/ada.bsky.social"),
    ("@ada.bsky.social", "bluesky:ada.bsky.social", ""),
    ("https://x.com/https://x.com/ada_example", "twitter:ada_example", "https://x.com/ada_example"),
    (
        "https://www.linkedin.com/in/http://linkedin.com/in/ada-example",
        "linkedin:ada-example",
        "https://www.linkedin.com/in/ada-example",
    ),
    ("https://hashnode.com/@ada", "hashnode:ada", "https://hashnode.com/@ada"),
    (
        "https://scholar.google.co.uk/citations?hl=en&user=AbCdEfGhIjKl",
        "googlescholar:AbCdEfGhIjKl",
        "https://scholar.google.com/citations?user=AbCdEfGhIjKl",
    ),
    ("at://ada.example.com/app.bsky.feed.post/3k", "bluesky:ada.example.com", ""),
    (
        "did:plc:abcdefghijklmnopqrstuvwx",
        "bluesky#did:plc:abcdefghijklmnopqrstuvwx",
        "https://bsky.app/profile/did:plc:abcdefghijklmnopqrstuvwx",
    ),
    ("https://old.reddit.com/u/Ada_Example", "reddit:ada_example", "https://www.reddit.com/user/Ada_Example"),
    ("https://np.reddit.com/r/u_Ada_Example/", "reddit:ada_example", ""),
    ("https://telegram.me/ada_example", "telegram:ada_example", "https://t.me/ada_example"),
    ("https://ada_example.t.me", "telegram:ada_example", ""),
    ("https://t.me/s/ada_example", "telegram:ada_example", ""),
    ("tg://resolve?domain=ada_example", "telegram:ada_example", ""),
    (
        "https://www.pinterest.co.uk/adaexample/boards",
        "pinterest:adaexample",
        "https://www.pinterest.com/adaexample",
    ),
    ("https://br.pinterest.com/adaexample", "pinterest:adaexample", ""),
    ("https://www.snapchat.com/add/ada-example", "snapchat:ada-example", ""),
    ("https://m.vk.com/ada_example", "vk:ada_example", "https://vk.com/ada_example"),
    ("vkontakte.ru/id9900001", "vk#id:9900001", "https://vk.com/id9900001"),
    ("https://weibo.com/u/9900001", "weibo#id:9900001", ""),
    ("https://weibo.com/9900001", "weibo#id:9900001", "https://weibo.com/u/9900001"),
    ("https://m.weibo.cn/u/9900001", "weibo#id:9900001", ""),
    ("https://adaexample.tumblr.com/post/1", "tumblr:adaexample", "https://www.tumblr.com/adaexample"),
    ("https://www.tumblr.com/blog/adaexample", "tumblr:adaexample", ""),
    ("https://www.quora.com/profile/Ada-Example-1/answers", "quora:Ada-Example-1", ""),
    (
        "https://es.quora.com/profile/Ada-Example-1",
        "quora#es:Ada-Example-1",
        "https://es.quora.com/profile/Ada-Example-1",
    ),
    (
        "https://www.xing.com/profile/Ada_Example/cv",
        "xing:Ada_Example",
        "https://www.xing.com/profile/Ada_Example",
    ),
    ("https://angel.co/ada-example", "wellfound:ada-example", ""),
    ("https://angel.co/p/x1/ada-example", "wellfound:ada-example", ""),
    ("https://www.crunchbase.com/person/ada-example", "crunchbase:ada-example", ""),
    ("https://www.meetup.com/de-DE/members/9900001/", "meetup#id:9900001", ""),
    ("https://en.gravatar.com/adaexample", "gravatar:adaexample", "https://gravatar.com/adaexample"),
    ("https://about.me/ada.example", "aboutme:ada.example", ""),
    ("https://linktr.ee/adaexample", "linktree:adaexample", ""),
    ("https://discord.com/users/990000000000000001", "discord#id:990000000000000001", ""),
    ("https://plus.google.com/+AdaExample/posts", "googleplus:+adaexample", ""),
    ("https://plus.google.com/u/0/100000000000000000001", "googleplus#id:100000000000000000001", ""),
    ("https://myspace.com/adaexample", "myspace:adaexample", ""),
    ("https://foursquare.com/user/9900001", "foursquare#id:9900001", ""),
    ("https://ello.co/adaexample", "ello:adaexample", ""),
];

const MAKING: &[Row] = &[
    ("https://github.com/Ada-Example", "github:ada-example", "https://github.com/Ada-Example"),
    ("github.com/ada-example?tab=repositories", "github:ada-example", ""),
    ("https://github.com/sponsors/ada-example", "github:ada-example", ""),
    ("https://gist.github.com/ada-example/0123abcd", "github:ada-example", ""),
    ("https://api.github.com/users/ada-example", "github:ada-example", ""),
    ("https://ada-example.github.io/", "github:ada-example", "https://github.com/ada-example"),
    ("https://gitlab.com/users/ada.example", "gitlab:ada.example", "https://gitlab.com/ada.example"),
    ("https://codeberg.org/ada", "codeberg:ada", ""),
    ("https://git.sr.ht/~ada", "sourcehut:ada", "https://sr.ht/~ada"),
    ("https://stackexchange.com/users/9900001/ada", "stackexchange#id:9900001", ""),
    ("https://keybase.io/AdaExample", "keybase:adaexample", ""),
    ("http://www.orcid.org/0000-0002-1825-0097", "orcid:0000-0002-1825-0097", ""),
    ("0000000218250097", "orcid:0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097"),
    ("https://orcid.org/0000-0002-1694-233x", "orcid:0000-0002-1694-233X", ""),
    ("https://scholar.google.com/citations?hl=en&user=AbCdEfGhIjKl", "googlescholar:AbCdEfGhIjKl", ""),
    ("https://www.researchgate.net/profile/Ada-Example", "researchgate:ada-example", ""),
    ("https://dev.to/adaexample/my-post-1", "devto:adaexample", "https://dev.to/adaexample"),
    ("https://codepen.io/adaexample/pens", "codepen:adaexample", ""),
    ("https://www.npmjs.com/~ada-example", "npm:ada-example", ""),
    ("https://pypi.org/user/ada/", "pypi:ada", ""),
    ("https://hub.docker.com/u/adaexample", "dockerhub:adaexample", ""),
    ("https://huggingface.co/ada-example", "huggingface:ada-example", ""),
    ("https://www.kaggle.com/adaexample/code", "kaggle:adaexample", ""),
    ("https://leetcode.com/u/adaexample/", "leetcode:adaexample", ""),
    ("https://dribbble.com/adaexample/about", "dribbble:adaexample", ""),
    ("https://be.net/adaexample", "behance:adaexample", "https://www.behance.net/adaexample"),
    ("https://profiles.wordpress.org/adaexample/", "wordpressorg:adaexample", ""),
    ("https://lobste.rs/~ada", "lobsters:ada", ""),
];

const MEDIA: &[Row] = &[
    ("https://m.youtube.com/c/AdaExample", "youtube#c:adaexample", "https://www.youtube.com/c/AdaExample"),
    ("https://www.youtube.com/user/AdaExample/videos", "youtube#user:adaexample", ""),
    (
        "https://music.youtube.com/channel/UCabcdefghijklmnopqrstuv",
        "youtube#channel:UCabcdefghijklmnopqrstuv",
        "",
    ),
    (
        "https://www.tiktok.com/@Ada.Example/video/1",
        "tiktok:ada.example",
        "https://www.tiktok.com/@Ada.Example",
    ),
    ("https://m.twitch.tv/AdaExample/videos", "twitch:adaexample", ""),
    ("https://vimeo.com/adaexample", "vimeo:adaexample", ""),
    ("https://soundcloud.com/ada-example/tracks", "soundcloud:ada-example", ""),
    ("https://open.spotify.com/user/adaexample?si=x", "spotify:adaexample", ""),
    ("https://www.last.fm/de/user/AdaExample", "lastfm:adaexample", ""),
    (
        "https://www.flickr.com/photos/99000001@N00/",
        "flickr#nsid:99000001@N00",
        "https://www.flickr.com/people/99000001@N00",
    ),
    ("https://flickr.com/people/ada-example", "flickr:ada-example", ""),
    ("https://adaexample.deviantart.com", "deviantart:adaexample", "https://www.deviantart.com/adaexample"),
    ("https://medium.com/@Ada.Example/a-story-1", "medium:ada.example", "https://medium.com/@Ada.Example"),
    ("https://ada-example.medium.com/a-story", "medium:ada-example", "https://medium.com/@ada-example"),
    ("https://substack.com/@adaexample", "substack:adaexample", ""),
    ("https://adaexample.wordpress.com/2020/01", "wordpress:adaexample", "https://adaexample.wordpress.com"),
    (
        "https://www.goodreads.com/user/show/9900001-ada-example",
        "goodreads#id:9900001",
        "https://www.goodreads.com/user/show/9900001",
    ),
    ("https://www.patreon.com/c/adaexample", "patreon:adaexample", ""),
    ("https://ko-fi.com/adaexample", "kofi:adaexample", ""),
    ("https://steamcommunity.com/profiles/76561190000000001", "steam#id:76561190000000001", ""),
    ("https://steamcommunity.com/id/AdaExample", "steam:adaexample", ""),
    ("https://letterboxd.com/adaexample/films/", "letterboxd:adaexample", ""),
    ("https://www.chess.com/member/adaexample", "chesscom:adaexample", ""),
    ("https://lichess.org/@/AdaExample", "lichess:adaexample", "https://lichess.org/@/AdaExample"),
];

const ANYWHERE: &[Row] = &[
    ("“https://github.com/ada”", "github:ada", ""),
    ("http://https://github.com/ada", "github:ada", ""),
    ("https://ada.substack.com/about", "website:ada.substack.com/about", ""),
    ("https://ada.bandcamp.com", "website:ada.bandcamp.com", ""),
    (
        "https://www.imdb.com/name/nm9900001/",
        "website:imdb.com/name/nm9900001",
        "https://www.imdb.com/name/nm9900001",
    ),
    ("https://social.example.com/@Ada", "mastodon:ada@social.example.com", "https://social.example.com/@Ada"),
    (
        "https://social.example.com/users/ada",
        "mastodon:ada@social.example.com",
        "https://social.example.com/@ada",
    ),
    ("https://social.example.com/web/@ada", "mastodon:ada@social.example.com", ""),
    ("https://social.example.com/deck/@ada", "mastodon:ada@social.example.com", ""),
    ("https://social.example.com/@ada/110000000000000001", "mastodon:ada@social.example.com", ""),
    ("acct:Ada@Social.Example.COM", "mastodon:ada@social.example.com", "https://social.example.com/@Ada"),
    ("https://fosstodon.org/users/ada", "mastodon:ada@fosstodon.org", ""),
    ("ada.example.com", "website:ada.example.com", "https://ada.example.com"),
    ("http://www.Ada.Example.com/", "website:ada.example.com", "https://www.ada.example.com"),
    ("https://ada.example.com/?utm_source=x&fbclid=y", "website:ada.example.com", "https://ada.example.com"),
    ("https://example.com/users/ada", "website:example.com/users/ada", ""),
    (
        "https://example.com/~Ada/index.html?page=2&ref=x#top",
        "website:example.com/~Ada/index.html?page=2",
        "",
    ),
    ("https://example.com//a///b/", "website:example.com/a/b", ""),
    ("https://example.com/caf%c3%a9", "website:example.com/caf%C3%A9", ""),
    ("https://example.com/cafe%CC%81", "website:example.com/caf%C3%A9", ""),
    ("https://example.com/a%2Fb", "website:example.com/a%2Fb", ""),
    ("https://example.com/ada_(poet)", "website:example.com/ada_(poet)", ""),
    ("https://example.com:8443/ada", "website:example.com:8443/ada", ""),
    ("https://müller.example", "website:xn--mller-kva.example", "https://xn--mller-kva.example"),
    ("https://github.com.evil.example/ada", "website:github.com.evil.example/ada", ""),
    ("github.com.evil.example/ada", "website:github.com.evil.example/ada", ""),
    ("https://evilgithub.com/ada", "website:evilgithub.com/ada", ""),
    ("https://git-hub.example/ada", "website:git-hub.example/ada", ""),
    ("https://githúb.com/ada", "website:xn--githb-bva.com/ada", ""),
    ("https://ｇｉｔｈｕｂ.com/ada", "github:ada", "https://github.com/ada"),
];

#[test]
fn every_spelling_leads_to_its_key() {
    for (text, key, url) in [FIXED, MEETING, MAKING, MEDIA, ANYWHERE].concat() {
        let profile = SocialProfile::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(profile.key(), key, "{text}");
        assert!(url.is_empty() || profile.url() == url, "{text}: {} is not {url}", profile.url());
    }
}

#[test]
fn a_source_may_name_the_network_and_the_account() {
    for (network, account, key) in [
        ("twitter", "@Ada_Example", "twitter:ada_example"),
        ("X", "ada_example", "twitter:ada_example"),
        ("twitter.com", "ada_example", "twitter:ada_example"),
        ("twitter", "1234567890123456789", "twitter#id:1234567890123456789"),
        ("linkedin", "in/Ada-Example", "linkedin:ada-example"),
        ("linkedin", "ada-example", "linkedin:ada-example"),
        ("LinkedIn", "linkedin.com/in/ada-example", "linkedin:ada-example"),
        ("linkedin", "ACoAAtEsT0001", "linkedin#urn:ACoAAtEsT0001"),
        ("linkedin_sales_navigator", "ACwAAtEsT0001", "linkedin#urn:ACwAAtEsT0001"),
        ("facebook", "100000000000001", "facebook#id:100000000000001"),
        ("fb", "Ada.Example", "facebook:adaexample"),
        ("facebook", "https://www.facebook.com/ada.example", "facebook:adaexample"),
        ("instagram", "@ada.example", "instagram:ada.example"),
        ("github", "Ada-Example", "github:ada-example"),
        ("GitHub", "github.com/ada-example", "github:ada-example"),
        ("angellist", "ada-example", "wellfound:ada-example"),
        ("AngelList", "u/ada-example", "wellfound:ada-example"),
        ("vkontakte", "id9900001", "vk#id:9900001"),
        ("vk", "9900001", "vk#id:9900001"),
        ("google+", "+AdaExample", "googleplus:+adaexample"),
        ("google", "100000000000000000001", "googleplus#id:100000000000000000001"),
        ("google", "https://www.youtube.com/@AdaExample", "youtube:adaexample"),
        ("youtube", "UCabcdefghijklmnopqrstuv", "youtube#channel:UCabcdefghijklmnopqrstuv"),
        ("youtube", "@AdaExample", "youtube:adaexample"),
        ("youtube", "AdaExample", "youtube:adaexample"),
        ("youtube", "user/AdaExample", "youtube#user:adaexample"),
        ("Stack Overflow", "9900001", "stackoverflow#id:9900001"),
        ("stackoverflow", "users/9900001/ada", "stackoverflow#id:9900001"),
        ("vimeo", "9900001", "vimeo#id:9900001"),
        ("vimeo", "user9900001", "vimeo#id:9900001"),
        ("mastodon", "@ada@social.example.com", "mastodon:ada@social.example.com"),
        ("mastodon", "ada@social.example.com", "mastodon:ada@social.example.com"),
        ("mastodon", "https://social.example.com/@ada", "mastodon:ada@social.example.com"),
        ("fediverse", "social.example.com/@ada", "mastodon:ada@social.example.com"),
        ("bluesky", "@ada.example.com", "bluesky:ada.example.com"),
        ("bluesky", "de.bsky.social", "bluesky:de.bsky.social"),
        ("bsky", "did:plc:abcdefghijklmnopqrstuvwx", "bluesky#did:plc:abcdefghijklmnopqrstuvwx"),
        ("orcid", "0000-0002-1825-0097", "orcid:0000-0002-1825-0097"),
        ("hackernews", "AdaEx", "hackernews:AdaEx"),
        ("about.me", "adaexample", "aboutme:adaexample"),
        ("dev.to", "adaexample", "devto:adaexample"),
        ("discord", "990000000000000001", "discord#id:990000000000000001"),
        ("medium", "@ada", "medium:ada"),
        ("tiktok", "ada.example", "tiktok:ada.example"),
        ("wordpress", "adaexample", "wordpress:adaexample"),
        ("wordpress", "adaexample.wordpress.com", "wordpress:adaexample"),
        ("website", "ada.example.com", "website:ada.example.com"),
        ("generic", "https://github.com/ada-example", "github:ada-example"),
        ("something new", "https://ada.example.com", "website:ada.example.com"),
        ("reddit", "u/Ada_Example", "reddit:ada_example"),
        ("steam", "76561190000000001", "steam#id:76561190000000001"),
        ("klout", "adaexample", "klout:adaexample"),
        ("flickr", "99000001@N00", "flickr#nsid:99000001@N00"),
        ("gravatar", "adaexample", "gravatar:adaexample"),
        ("xing", "Ada_Example", "xing:Ada_Example"),
    ] {
        let profile = SocialProfile::on_network(network, account);
        let key = key.to_owned();
        assert_eq!(profile.map(|profile| profile.key().to_owned()), Ok(key), "{network} {account}");
    }
    for (network, account) in [("nowhere", "ada"), ("", "ada"), ("🦀", "ada")] {
        assert_eq!(
            SocialProfile::on_network(network, account),
            Err(ProfileError::UnknownNetwork),
            "{network}"
        );
    }
}

#[test]
fn the_account_name_is_shown_as_it_was_found() {
    for (text, handle) in [
        ("https://github.com/Ada-Example", Some("Ada-Example")),
        ("https://x.com/@Ada_Example", Some("Ada_Example")),
        ("https://www.facebook.com/Ada.Example", Some("Ada.Example")),
        ("@Ada@social.example.com", Some("Ada@social.example.com")),
        ("https://www.facebook.com/profile.php?id=100000000000001", None),
        ("https://ada.example.com", None),
    ] {
        assert_eq!(SocialProfile::parse(text).unwrap().handle(), handle, "{text}");
    }
}

#[test]
fn networks_that_are_gone_are_marked() {
    for (word, account, gone) in [
        ("klout", "adaexample", true),
        ("google+", "+AdaExample", true),
        ("ello", "adaexample", true),
        ("myspace", "adaexample", true),
        ("foursquare", "adaexample", true),
        ("github", "adaexample", false),
        ("mastodon", "ada@social.example.com", false),
        ("website", "ada.example.com", false),
    ] {
        assert_eq!(SocialProfile::on_network(word, account).unwrap().is_defunct(), gone, "{word}");
    }
}

#[test]
fn the_table_knows_every_network_that_vendors_name() {
    let known: Vec<&str> = networks().collect();
    assert!(known.len() >= 90, "{}", known.len());
    // The networks of People Data Labs, in its words.
    for word in "aboutme angellist behance crunchbase dribbble ello facebook flickr foursquare github gitlab google \
        gravatar indeed instagram klout linkedin linkedin_sales_navigator medium meetup myspace pinterest quora reddit \
        soundcloud stackoverflow twitter vimeo wordpress xing youtube"
        .split_whitespace()
    {
        let result = SocialProfile::on_network(word, "no/such/account/anywhere");
        assert_ne!(result, Err(ProfileError::UnknownNetwork), "{word}");
    }
}
