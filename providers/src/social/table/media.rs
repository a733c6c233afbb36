//! Networks where people watch, listen, write, play and are paid for it.
//!
//! Invariant: data only.

use super::super::ids;
use super::super::network::Network;
use super::{at, handle, id, row};

pub(super) static NETWORKS: &[Network] = &[
    row(
        "youtube",
        &[
            id("channel", "https://www.youtube.com/channel/{}", ids::youtube_channel),
            handle("https://www.youtube.com/@{}", ids::youtube),
            id("c", "https://www.youtube.com/c/{}", ids::unicode_name).folded_by(ids::lower),
            id("user", "https://www.youtube.com/user/{}", ids::slug).folded_by(ids::lower),
        ],
        &[at(
            &["youtube.com", "music.youtube.com", "studio.youtube.com", "gaming.youtube.com"],
            &["channel/{channel}/**", "@{handle}/**", "c/{c}/**", "user/{user}/**"],
        )],
    )
    .aliases(&["yt"]),
    row(
        "tiktok",
        &[handle("https://www.tiktok.com/@{}", ids::tiktok)],
        &[at(&["tiktok.com"], &["@{handle}/**"])],
    ),
    row(
        "twitch",
        &[handle("https://www.twitch.tv/{}", ids::word::<4, 25>)],
        &[at(&["twitch.tv"], &["{handle}/**"])],
    )
    .reserved(&[
        "subscriptions",
        "turbo",
        "prime",
        "wallet",
        "inventory",
        "friends",
        "popout",
        "moderator",
    ]),
    row(
        "vimeo",
        &[
            handle("https://vimeo.com/{}", ids::lettered_slug),
            id("id", "https://vimeo.com/user{}", ids::digits),
        ],
        &[at(&["vimeo.com"], &["user{id}/**", "{handle}/**"])],
    )
    .reserved(&["ondemand", "stock", "album", "showcase", "event", "manage", "solutions", "log_in"]),
    row(
        "dailymotion",
        &[handle("https://www.dailymotion.com/{}", ids::slug)],
        &[at(&["dailymotion.com"], &["user/{handle}", "{handle}"])],
    )
    .reserved(&["library", "playlist"]),
    row(
        "rumble",
        &[handle("https://rumble.com/user/{}", ids::slug)],
        &[at(&["rumble.com"], &["user/{handle}/**"])],
    ),
    row("kick", &[handle("https://kick.com/{}", ids::slug)], &[at(&["kick.com"], &["{handle}/**"])])
        .reserved(&["browse", "following", "categories", "community-guidelines"]),
    row(
        "soundcloud",
        &[handle("https://soundcloud.com/{}", ids::slug)],
        &[at(&["soundcloud.com"], &["{handle}/**"])],
    )
    .reserved(&["stream", "you", "charts", "stations", "library", "mobile", "pro", "for-artists"]),
    row(
        "spotify",
        &[handle("https://open.spotify.com/user/{}", ids::name).folded_by(str::to_owned)],
        &[at(&["open.spotify.com", "play.spotify.com"], &["user/{handle}/**", "*/user/{handle}/**"])],
    ),
    row(
        "lastfm",
        &[handle("https://www.last.fm/user/{}", ids::slug)],
        &[at(&["last.fm"], &["user/{handle}/**", "*/user/{handle}/**"])],
    ),
    row(
        "mixcloud",
        &[handle("https://www.mixcloud.com/{}", ids::slug)],
        &[at(&["mixcloud.com"], &["{handle}/**"])],
    ),
    row("bandcamp", &[handle("https://bandcamp.com/{}", ids::slug)], &[at(&["bandcamp.com"], &["{handle}"])])
        .reserved(&["artists", "labels", "fans", "gift_cards", "tags"]),
    row(
        "discogs",
        &[handle("https://www.discogs.com/user/{}", ids::name)],
        &[at(&["discogs.com"], &["user/{handle}/**", "*/user/{handle}/**"])],
    ),
    row(
        "flickr",
        &[
            id("nsid", "https://www.flickr.com/people/{}", ids::flickr_nsid),
            handle("https://www.flickr.com/people/{}", ids::slug),
        ],
        &[at(
            &["flickr.com"],
            &["people/{nsid}/**", "people/{handle}/**", "photos/{nsid}/**", "photos/{handle}/**"],
        )],
    )
    .reserved(&["tags", "groups", "explore", "upload", "search", "organize"]),
    row(
        "unsplash",
        &[handle("https://unsplash.com/@{}", ids::word::<1, 60>)],
        &[at(&["unsplash.com"], &["@{handle}/**"])],
    ),
    row("500px", &[handle("https://500px.com/p/{}", ids::name)], &[at(&["500px.com"], &["p/{handle}/**"])]),
    row(
        "deviantart",
        &[handle("https://www.deviantart.com/{}", ids::slug)],
        &[at(&["deviantart.com"], &["{handle}/**"]), at(&["*.deviantart.com"], &["{handle}/**"])],
    )
    .reserved(&["tag", "watch", "daily-deviations", "core-membership"]),
    row(
        "medium",
        &[handle("https://medium.com/@{}", ids::name)],
        &[at(&["medium.com"], &["@{handle}/**"]), at(&["*.medium.com"], &["{handle}/**"])],
    )
    .reserved(&["about", "api", "blog", "help", "policy", "cdn-images-1", "miro"]),
    row(
        "substack",
        &[handle("https://substack.com/@{}", ids::slug)],
        &[at(&["substack.com"], &["@{handle}/**"])],
    ),
    row(
        "wordpress",
        &[handle("https://{}.wordpress.com", ids::host_label)],
        &[at(&["*.wordpress.com"], &["{handle}/**"])],
    )
    .aliases(&["wordpresscom"])
    .reserved(&["en", "learn", "public-api", "vip"]),
    row(
        "livejournal",
        &[handle("https://{}.livejournal.com", ids::host_label)],
        &[at(&["*.livejournal.com"], &["{handle}/**"])],
    ),
    row(
        "blogger",
        &[id("id", "https://www.blogger.com/profile/{}", ids::digits)],
        &[at(&["blogger.com"], &["profile/{id}"])],
    ),
    row(
        "goodreads",
        &[id("id", "https://www.goodreads.com/user/show/{}", ids::leading_number)],
        &[at(&["goodreads.com"], &["user/show/{id}"])],
    ),
    row(
        "letterboxd",
        &[handle("https://letterboxd.com/{}", ids::slug)],
        &[at(&["letterboxd.com"], &["{handle}/**"])],
    )
    .reserved(&["film", "films", "lists", "members", "journal", "actor", "director"]),
    row(
        "wattpad",
        &[handle("https://www.wattpad.com/user/{}", ids::slug)],
        &[at(&["wattpad.com"], &["user/{handle}"])],
    ),
    row(
        "patreon",
        &[handle("https://www.patreon.com/{}", ids::slug)],
        &[at(&["patreon.com"], &["c/{handle}/**", "cw/{handle}/**", "{handle}/**"])],
    )
    .reserved(&["c", "cw", "join", "posts", "portal", "creators"]),
    row("kofi", &[handle("https://ko-fi.com/{}", ids::slug)], &[at(&["ko-fi.com"], &["{handle}/**"])])
        .reserved(&["s", "i", "gold", "manage", "posts"]),
    row(
        "buymeacoffee",
        &[handle("https://buymeacoffee.com/{}", ids::name)],
        &[at(&["buymeacoffee.com", "buymeacoff.ee"], &["{handle}"])],
    ),
    row(
        "steam",
        &[
            id("id", "https://steamcommunity.com/profiles/{}", ids::long_number),
            handle("https://steamcommunity.com/id/{}", ids::slug),
        ],
        &[at(&["steamcommunity.com"], &["profiles/{id}/**", "id/{handle}/**"])],
    )
    .aliases(&["steamcommunity"]),
    row(
        "roblox",
        &[id("id", "https://www.roblox.com/users/{}/profile", ids::digits)],
        &[at(&["roblox.com"], &["users/{id}/**"])],
    ),
    row(
        "chesscom",
        &[handle("https://www.chess.com/member/{}", ids::slug)],
        &[at(&["chess.com"], &["member/{handle}/**"])],
    )
    .aliases(&["chess"]),
    row(
        "lichess",
        &[handle("https://lichess.org/@/{}", ids::slug)],
        &[at(&["lichess.org"], &["@/{handle}/**"])],
    ),
    row(
        "duolingo",
        &[handle("https://www.duolingo.com/profile/{}", ids::name)],
        &[at(&["duolingo.com"], &["profile/{handle}"])],
    ),
    row(
        "strava",
        &[
            id("id", "https://www.strava.com/athletes/{}", ids::digits),
            handle("https://www.strava.com/athletes/{}", ids::slug),
        ],
        &[at(&["strava.com"], &["athletes/{id}/**", "athletes/{handle}/**"])],
    ),
    row(
        "untappd",
        &[handle("https://untappd.com/user/{}", ids::name)],
        &[at(&["untappd.com"], &["user/{handle}/**"])],
    ),
    row(
        "trello",
        &[handle("https://trello.com/u/{}", ids::slug)],
        &[at(&["trello.com"], &["u/{handle}/**"])],
    ),
];
