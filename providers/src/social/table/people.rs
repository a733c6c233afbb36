//! Networks where people meet, chat and date their careers.
//!
//! Invariant: data only.

use super::super::ids;
use super::super::network::Network;
use super::{at, handle, id, row};

pub(super) static NETWORKS: &[Network] = &[
    row(
        "twitter",
        &[handle("https://x.com/{}", ids::word::<1, 15>), id("id", "https://x.com/i/user/{}", ids::digits)],
        &[at(
            &["x.com", "twitter.com"],
            &[
                "i/user/{id}",
                "intent/user?screen_name={handle}",
                "intent/follow?screen_name={handle}",
                "intent/user?user_id={id}",
                "@{handle}/**",
                "{handle}/**",
            ],
        )],
    )
    .aliases(&["x", "twittercom", "xcom"])
    .reserved(&[
        "hashtags",
        "lists",
        "who_to_follow",
        "statuses",
        "account",
        "widgets",
        "following",
        "followers",
    ]),
    row(
        "linkedin",
        &[
            id("urn", "https://www.linkedin.com/in/{}", ids::linkedin_member),
            handle("https://www.linkedin.com/in/{}", ids::linkedin),
            id("pub", "https://www.linkedin.com/pub/{}", ids::linkedin_public).folded_by(ids::lower),
            id("id", "https://www.linkedin.com/profile/view?id={}", ids::digits),
        ],
        &[at(
            &["linkedin.com"],
            &[
                "in/{urn}/**",
                "in/{handle}/**",
                "mwlite/in/{urn}/**",
                "mwlite/in/{handle}/**",
                "comm/in/{handle}/**",
                "pub/{pub+}",
                "sales/lead/{urn}/**",
                "sales/people/{urn}/**",
                "talent/profile/{urn}/**",
                "profile/view?id={urn}",
                "profile/view?id={id}",
            ],
        )],
    )
    .aliases(&["linkedinsalesnavigator", "linkedincom"]),
    row(
        "facebook",
        &[
            id("id", "https://www.facebook.com/profile.php?id={}", ids::facebook_number),
            handle("https://www.facebook.com/{}", ids::facebook).folded_by(ids::lower_without_dots),
        ],
        &[at(
            &["facebook.com", "fb.com", "fb.me", "m.me", "messenger.com"],
            &[
                "profile.php?id={id}",
                "people/*/{id}/**",
                "p/{id}/**",
                "t/{id}",
                "t/{handle}",
                "{id}/**",
                "{handle}/**",
            ],
        )],
    )
    .aliases(&["fb", "facebookcom", "messenger"])
    .reserved(&[
        "gaming",
        "marketplace",
        "hashtag",
        "bookmarks",
        "friends",
        "reels",
        "login.php",
        "sharer",
    ]),
    row(
        "instagram",
        &[handle("https://www.instagram.com/{}", ids::instagram)],
        &[at(
            &["instagram.com", "instagr.am"],
            &["_u/{handle}", "stories/{handle}/**", "@{handle}/**", "{handle}/**"],
        )],
    )
    .aliases(&["ig", "insta"])
    .reserved(&["reel", "reels", "tv", "direct", "highlights", "ar", "challenge", "_u", "_n"]),
    row(
        "threads",
        &[handle("https://www.threads.com/@{}", ids::instagram)],
        &[at(&["threads.com", "threads.net"], &["@{handle}/**"])],
    )
    .aliases(&["threadsnet"]),
    row(
        "bluesky",
        &[
            id("did", "https://bsky.app/profile/did:{}", ids::did),
            handle("https://bsky.app/profile/{}", ids::bluesky),
        ],
        &[at(&["bsky.app", "bsky.social"], &["profile/{did}/**", "profile/{handle}/**"])],
    )
    .aliases(&["bsky", "atproto"]),
    row(
        "reddit",
        &[handle("https://www.reddit.com/user/{}", ids::reddit)],
        &[at(&["reddit.com"], &["user/{handle}/**", "u/{handle}/**", "r/u_{handle}/**"])],
    ),
    row(
        "telegram",
        &[handle("https://t.me/{}", ids::telegram)],
        &[
            at(&["t.me", "telegram.me", "telegram.dog"], &["s/{handle}", "{handle}"]),
            at(&["*.t.me"], &["{handle}"]),
        ],
    )
    .reserved(&[
        "joinchat",
        "addstickers",
        "addemoji",
        "addtheme",
        "addlist",
        "setlanguage",
        "proxy",
        "socks",
        "login",
        "confirmphone",
        "invoice",
    ]),
    row(
        "pinterest",
        &[handle("https://www.pinterest.com/{}", ids::word::<3, 30>)],
        &[at(
            &[
                "pinterest.com",
                "pinterest.at",
                "pinterest.be",
                "pinterest.ca",
                "pinterest.ch",
                "pinterest.cl",
                "pinterest.co",
                "pinterest.co.in",
                "pinterest.co.kr",
                "pinterest.co.nz",
                "pinterest.co.uk",
                "pinterest.com.au",
                "pinterest.com.br",
                "pinterest.com.mx",
                "pinterest.com.pe",
                "pinterest.de",
                "pinterest.dk",
                "pinterest.es",
                "pinterest.fi",
                "pinterest.fr",
                "pinterest.hu",
                "pinterest.ie",
                "pinterest.in",
                "pinterest.info",
                "pinterest.it",
                "pinterest.jp",
                "pinterest.nl",
                "pinterest.no",
                "pinterest.nz",
                "pinterest.ph",
                "pinterest.pl",
                "pinterest.pt",
                "pinterest.ru",
                "pinterest.se",
                "pinterest.uk",
            ],
            &["{handle}/**"],
        )],
    )
    .reserved(&["ideas", "today", "resource", "pinterest", "source"]),
    row(
        "snapchat",
        &[handle("https://www.snapchat.com/add/{}", ids::name)],
        &[at(&["snapchat.com"], &["add/{handle}", "@{handle}"])],
    )
    .aliases(&["snap"]),
    row(
        "vk",
        &[handle("https://vk.com/{}", ids::vk), id("id", "https://vk.com/id{}", ids::digits)],
        &[at(&["vk.com", "vk.ru", "vkontakte.ru"], &["id{id}", "{handle}"])],
    )
    .aliases(&["vkontakte", "vkcom"])
    .reserved(&["im", "feed", "friends", "groups", "clips", "market", "apps", "services", "albums"]),
    row(
        "odnoklassniki",
        &[id("id", "https://ok.ru/profile/{}", ids::digits), handle("https://ok.ru/{}", ids::name)],
        &[at(&["ok.ru", "odnoklassniki.ru"], &["profile/{id}/**", "{handle}"])],
    )
    .aliases(&["ok", "okru"])
    .reserved(&["dk", "game", "music", "live", "market"]),
    row(
        "weibo",
        &[
            id("id", "https://weibo.com/u/{}", ids::digits),
            handle("https://weibo.com/{}", ids::slug),
            id("nick", "https://weibo.com/n/{}", ids::unicode_name).folded_by(ids::lower),
        ],
        &[at(
            &["weibo.com", "weibo.cn", "m.weibo.cn"],
            &["u/{id}", "n/{nick}", "profile/{id}", "{id}", "{handle}"],
        )],
    )
    .reserved(&["ttarticle", "n", "u", "hot", "newlogin"]),
    row(
        "tumblr",
        &[handle("https://www.tumblr.com/{}", ids::tumblr)],
        &[
            at(
                &["tumblr.com"],
                &["blog/view/{handle}/**", "blog/{handle}/**", "@{handle}/**", "{handle}/**"],
            ),
            at(&["*.tumblr.com"], &["{handle}/**"]),
        ],
    )
    .reserved(&["likes", "following", "reblog", "blog", "assets", "cdn"]),
    row(
        "quora",
        &[
            handle("https://www.quora.com/profile/{}", ids::unicode_name).folded_by(str::to_owned),
            id("de", "https://de.quora.com/profile/{}", ids::unicode_name),
            id("es", "https://es.quora.com/profile/{}", ids::unicode_name),
            id("fr", "https://fr.quora.com/profile/{}", ids::unicode_name),
            id("hi", "https://hi.quora.com/profile/{}", ids::unicode_name),
            id("id", "https://id.quora.com/profile/{}", ids::unicode_name),
            id("it", "https://it.quora.com/profile/{}", ids::unicode_name),
            id("jp", "https://jp.quora.com/profile/{}", ids::unicode_name),
            id("nl", "https://nl.quora.com/profile/{}", ids::unicode_name),
            id("pt", "https://pt.quora.com/profile/{}", ids::unicode_name),
        ],
        &[
            at(&["quora.com"], &["profile/{handle}/**"]),
            at(&["de.quora.com"], &["profile/{de}/**"]),
            at(&["es.quora.com"], &["profile/{es}/**"]),
            at(&["fr.quora.com"], &["profile/{fr}/**"]),
            at(&["hi.quora.com"], &["profile/{hi}/**"]),
            at(&["id.quora.com"], &["profile/{id}/**"]),
            at(&["it.quora.com"], &["profile/{it}/**"]),
            at(&["jp.quora.com"], &["profile/{jp}/**"]),
            at(&["nl.quora.com"], &["profile/{nl}/**"]),
            at(&["pt.quora.com"], &["profile/{pt}/**"]),
        ],
    ),
    row(
        "xing",
        &[handle("https://www.xing.com/profile/{}", ids::unicode_name).folded_by(str::to_owned)],
        &[at(&["xing.com"], &["profile/{handle}/**", "profiles/{handle}/**"])],
    ),
    row(
        "wellfound",
        &[handle("https://wellfound.com/u/{}", ids::slug)],
        &[
            at(&["wellfound.com"], &["u/{handle}/**", "p/*/{handle}"]),
            at(&["angel.co"], &["u/{handle}/**", "p/*/{handle}", "{handle}"]),
        ],
    )
    .aliases(&["angellist", "angelco"])
    .reserved(&[
        "company",
        "companies",
        "jobs",
        "job",
        "candidates",
        "recruit",
        "syndicates",
        "login",
        "search",
        "p",
        "u",
    ]),
    row(
        "crunchbase",
        &[handle("https://www.crunchbase.com/person/{}", ids::slug)],
        &[at(&["crunchbase.com"], &["person/{handle}/**"])],
    ),
    row(
        "indeed",
        &[handle("https://profile.indeed.com/p/{}", ids::slug)],
        &[at(&["profile.indeed.com", "my.indeed.com"], &["p/{handle}"])],
    ),
    row(
        "meetup",
        &[id("id", "https://www.meetup.com/members/{}", ids::digits)],
        &[at(&["meetup.com"], &["members/{id}/**", "*/members/{id}/**"])],
    ),
    row(
        "gravatar",
        &[
            handle("https://gravatar.com/{}", ids::not_a_hash),
            id("hash", "https://gravatar.com/{}", ids::address_hash),
        ],
        &[at(&["gravatar.com"], &["{hash}", "{handle}"])],
    )
    .reserved(&["avatar", "connect", "emails", "gravatars"]),
    row("aboutme", &[handle("https://about.me/{}", ids::name)], &[at(&["about.me"], &["{handle}"])]),
    row(
        "linktree",
        &[handle("https://linktr.ee/{}", ids::name)],
        &[at(&["linktr.ee"], &["@{handle}", "{handle}"])],
    )
    .aliases(&["linktr"]),
    row("biolink", &[handle("https://bio.link/{}", ids::name)], &[at(&["bio.link"], &["{handle}"])]),
    row(
        "discord",
        &[id("id", "https://discord.com/users/{}", ids::long_number)],
        &[at(&["discord.com", "discordapp.com"], &["users/{id}"])],
    ),
    row(
        "foursquare",
        &[
            id("id", "https://foursquare.com/user/{}", ids::digits),
            handle("https://foursquare.com/{}", ids::slug),
        ],
        &[at(&["foursquare.com"], &["user/{id}", "{handle}"])],
    )
    .reserved(&["v", "city-guide"])
    .defunct(),
    row(
        "klout",
        &[handle("https://klout.com/{}", ids::name)],
        &[at(&["klout.com"], &["{handle}", "user/{handle}"])],
    )
    .defunct(),
    row(
        "googleplus",
        &[
            id("id", "https://plus.google.com/{}", ids::digits),
            handle("https://plus.google.com/{}", ids::google_plus),
        ],
        &[at(&["plus.google.com"], &["u/*/{id}/**", "u/*/{handle}/**", "{id}/**", "{handle}/**"])],
    )
    .aliases(&["google", "gplus"])
    .defunct(),
    row("ello", &[handle("https://ello.co/{}", ids::slug)], &[at(&["ello.co"], &["@{handle}", "{handle}"])])
        .defunct(),
    row("myspace", &[handle("https://myspace.com/{}", ids::name)], &[at(&["myspace.com"], &["{handle}/**"])])
        .defunct(),
    row(
        "vine",
        &[id("id", "https://vine.co/u/{}", ids::digits), handle("https://vine.co/{}", ids::name)],
        &[at(&["vine.co"], &["u/{id}", "{handle}"])],
    )
    .reserved(&["v"])
    .defunct(),
    row(
        "periscope",
        &[handle("https://www.periscope.tv/{}", ids::word::<1, 15>)],
        &[at(&["periscope.tv", "pscp.tv"], &["{handle}/**"])],
    )
    .defunct(),
];
