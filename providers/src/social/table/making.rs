//! Networks where people build, publish research and answer questions.
//!
//! Invariant: data only.

use super::super::ids;
use super::super::network::Network;
use super::{at, handle, id, row};

pub(super) static NETWORKS: &[Network] = &[
    row(
        "github",
        &[handle("https://github.com/{}", ids::github)],
        &[
            at(
                &["github.com"],
                &[
                    "sponsors/{handle}",
                    "{handle}",
                    "{handle}/followers",
                    "{handle}/following",
                    "{handle}/repositories",
                    "{handle}/stars",
                ],
            ),
            at(&["gist.github.com"], &["{handle}/**"]),
            at(&["api.github.com"], &["users/{handle}/**"]),
            at(&["*.github.io"], &["{handle}/**"]),
        ],
    )
    .aliases(&["gh", "githubcom"])
    .reserved(&[
        "sponsors",
        "apps",
        "codespaces",
        "customer-stories",
        "gist",
        "issues",
        "pulls",
        "readme",
        "stars",
        "starred",
        "forked",
        "mine",
        "nonprofit",
    ]),
    row(
        "gitlab",
        &[handle("https://gitlab.com/{}", ids::gitlab)],
        &[at(&["gitlab.com"], &["users/{handle}/**", "u/{handle}", "{handle}"])],
    )
    .reserved(&["gitlab-org", "-"]),
    row(
        "bitbucket",
        &[handle("https://bitbucket.org/{}", ids::slug)],
        &[at(&["bitbucket.org"], &["{handle}"])],
    )
    .reserved(&["product", "workspace", "repo"]),
    row("codeberg", &[handle("https://codeberg.org/{}", ids::name)], &[at(&["codeberg.org"], &["{handle}"])]),
    row(
        "sourcehut",
        &[handle("https://sr.ht/~{}", ids::slug)],
        &[at(&["sr.ht", "git.sr.ht", "hg.sr.ht"], &["~{handle}"])],
    ),
    row(
        "sourceforge",
        &[handle("https://sourceforge.net/u/{}", ids::slug)],
        &[at(&["sourceforge.net"], &["u/{handle}/**", "users/{handle}"])],
    ),
    row(
        "launchpad",
        &[handle("https://launchpad.net/~{}", ids::name)],
        &[at(&["launchpad.net"], &["~{handle}"])],
    ),
    row(
        "stackoverflow",
        &[id("id", "https://stackoverflow.com/users/{}", ids::digits)],
        &[at(&["stackoverflow.com"], &["users/{id}/**", "u/{id}"])],
    )
    .aliases(&["so"]),
    row(
        "stackexchange",
        &[id("id", "https://stackexchange.com/users/{}", ids::digits)],
        &[at(&["stackexchange.com"], &["users/{id}/**"])],
    ),
    row(
        "serverfault",
        &[id("id", "https://serverfault.com/users/{}", ids::digits)],
        &[at(&["serverfault.com"], &["users/{id}/**", "u/{id}"])],
    ),
    row(
        "superuser",
        &[id("id", "https://superuser.com/users/{}", ids::digits)],
        &[at(&["superuser.com"], &["users/{id}/**", "u/{id}"])],
    ),
    row(
        "askubuntu",
        &[id("id", "https://askubuntu.com/users/{}", ids::digits)],
        &[at(&["askubuntu.com"], &["users/{id}/**", "u/{id}"])],
    ),
    row(
        "hackernews",
        &[handle("https://news.ycombinator.com/user?id={}", ids::slug).folded_by(str::to_owned)],
        &[at(&["news.ycombinator.com"], &["user?id={handle}"])],
    )
    .aliases(&["hn", "ycombinator"]),
    row(
        "lobsters",
        &[handle("https://lobste.rs/~{}", ids::slug)],
        &[at(&["lobste.rs"], &["~{handle}", "u/{handle}"])],
    ),
    row(
        "hashnode",
        &[handle("https://hashnode.com/@{}", ids::slug)],
        &[at(&["hashnode.com"], &["@{handle}/**"])],
    ),
    row(
        "keybase",
        &[handle("https://keybase.io/{}", ids::word::<2, 16>)],
        &[at(&["keybase.io"], &["{handle}"])],
    )
    .reserved(&["_", "docs", "team", "inv"]),
    row(
        "orcid",
        &[handle("https://orcid.org/{}", ids::orcid).folded_by(str::to_owned)],
        &[at(&["orcid.org"], &["{handle}"])],
    ),
    row(
        "googlescholar",
        &[handle("https://scholar.google.com/citations?user={}", ids::scholar).folded_by(str::to_owned)],
        &[at(
            &[
                "scholar.google.com",
                "scholar.google.at",
                "scholar.google.be",
                "scholar.google.ca",
                "scholar.google.ch",
                "scholar.google.co.in",
                "scholar.google.co.jp",
                "scholar.google.co.uk",
                "scholar.google.com.au",
                "scholar.google.com.br",
                "scholar.google.de",
                "scholar.google.es",
                "scholar.google.fr",
                "scholar.google.it",
                "scholar.google.nl",
                "scholar.google.pl",
                "scholar.google.pt",
                "scholar.google.se",
            ],
            &["citations?user={handle}"],
        )],
    )
    .aliases(&["scholar"]),
    row(
        "researchgate",
        &[handle("https://www.researchgate.net/profile/{}", ids::unicode_name)],
        &[at(&["researchgate.net"], &["profile/{handle}/**"])],
    ),
    row("devto", &[handle("https://dev.to/{}", ids::slug)], &[at(&["dev.to"], &["{handle}/**"])])
        .aliases(&["dev", "devcommunity"])
        .reserved(&["t", "listings", "pod", "tags", "code-of-conduct", "top"]),
    row("codepen", &[handle("https://codepen.io/{}", ids::slug)], &[at(&["codepen.io"], &["{handle}/**"])])
        .reserved(&["collection", "pen", "challenges", "topic", "trending"]),
    row("npm", &[handle("https://www.npmjs.com/~{}", ids::name)], &[at(&["npmjs.com"], &["~{handle}"])])
        .aliases(&["npmjs"]),
    row("pypi", &[handle("https://pypi.org/user/{}", ids::name)], &[at(&["pypi.org"], &["user/{handle}"])]),
    row(
        "rubygems",
        &[handle("https://rubygems.org/profiles/{}", ids::name)],
        &[at(&["rubygems.org"], &["profiles/{handle}"])],
    ),
    row(
        "nuget",
        &[handle("https://www.nuget.org/profiles/{}", ids::name)],
        &[at(&["nuget.org"], &["profiles/{handle}"])],
    ),
    row(
        "dockerhub",
        &[handle("https://hub.docker.com/u/{}", ids::slug)],
        &[at(&["hub.docker.com"], &["u/{handle}", "r/{handle}/**"])],
    )
    .aliases(&["docker", "hubdocker"]),
    row(
        "huggingface",
        &[handle("https://huggingface.co/{}", ids::name)],
        &[at(&["huggingface.co", "hf.co"], &["{handle}"])],
    )
    .aliases(&["hf"])
    .reserved(&["models", "datasets", "spaces", "papers", "chat", "tasks", "learn", "organizations"]),
    row(
        "kaggle",
        &[handle("https://www.kaggle.com/{}", ids::slug)],
        &[at(&["kaggle.com"], &["{handle}", "{handle}/*"])],
    )
    .reserved(&[
        "competitions",
        "datasets",
        "code",
        "models",
        "discussions",
        "learn",
        "c",
        "kernels",
        "rankings",
        "benchmarks",
    ]),
    row(
        "leetcode",
        &[handle("https://leetcode.com/u/{}", ids::name)],
        &[at(&["leetcode.com"], &["u/{handle}", "{handle}"])],
    )
    .reserved(&["problems", "problemset", "contest", "discuss", "tag", "subscribe", "u"]),
    row(
        "hackerrank",
        &[handle("https://www.hackerrank.com/profile/{}", ids::name)],
        &[at(&["hackerrank.com"], &["profile/{handle}"])],
    ),
    row(
        "codeforces",
        &[handle("https://codeforces.com/profile/{}", ids::name)],
        &[at(&["codeforces.com"], &["profile/{handle}"])],
    ),
    row(
        "replit",
        &[handle("https://replit.com/@{}", ids::slug)],
        &[at(&["replit.com", "repl.it"], &["@{handle}/**"])],
    ),
    row(
        "producthunt",
        &[handle("https://www.producthunt.com/@{}", ids::slug)],
        &[at(&["producthunt.com"], &["@{handle}/**"])],
    ),
    row(
        "dribbble",
        &[handle("https://dribbble.com/{}", ids::slug)],
        &[at(&["dribbble.com"], &["{handle}/**"])],
    )
    .reserved(&["shots", "designers", "hiring", "tags", "freelance-jobs", "learn"]),
    row(
        "behance",
        &[handle("https://www.behance.net/{}", ids::slug)],
        &[at(&["behance.net", "be.net"], &["{handle}/**"])],
    )
    .reserved(&["gallery", "galleries", "joblist", "live", "hire", "assets", "appreciations"]),
    row(
        "speakerdeck",
        &[handle("https://speakerdeck.com/{}", ids::slug)],
        &[at(&["speakerdeck.com"], &["{handle}/**"])],
    )
    .reserved(&["c", "p"]),
    row(
        "slideshare",
        &[handle("https://www.slideshare.net/{}", ids::slug)],
        &[at(&["slideshare.net"], &["{handle}"])],
    )
    .reserved(&["slideshow"]),
    row(
        "wordpressorg",
        &[handle("https://profiles.wordpress.org/{}", ids::name)],
        &[at(&["profiles.wordpress.org"], &["{handle}"])],
    ),
];
