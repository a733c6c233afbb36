use gleaner_providers::Field;

use super::{Config, RateText};

fn error(text: &str) -> String {
    Config::parse(text, "gleaner.toml").map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_shipped_file_states_the_defaults() {
    let shipped = Config::parse(include_str!("../../config/gleaner.toml"), "config/gleaner.toml").unwrap();
    assert_eq!(format!("{shipped:#?}"), format!("{:#?}", Config::default()));
}

#[test]
fn the_shipped_files_have_no_problems() {
    assert_eq!(Config::default().problems(), []);
    let sandbox = Config::parse(include_str!("../../config/sandbox.toml"), "config/sandbox.toml").unwrap();
    assert_eq!(sandbox.problems(), []);
}

#[test]
fn an_unknown_key_is_refused_with_place_and_nearest_known_key() {
    let text = "[worker]\nconcurency = 3\n";
    insta::assert_snapshot!(error(text), @"gleaner.toml:2:1: unknown field `concurency`, expected one of `concurrency`, `claim_batch`, `lease_secs`, `poll_ms`, `commit_batch`, `commit_linger_ms`, `drain_secs`; did you mean `concurrency`?");
}

#[test]
fn an_unknown_field_is_refused_with_the_known_ones() {
    insta::assert_snapshot!(error("[enrich]\nwanted = [\"nane\"]\n"), @"gleaner.toml:2:11: unknown variant `nane`, expected one of `name`, `age`, `social`; did you mean `name`?");
}

#[test]
fn wrong_types_and_syntax_name_their_place() {
    insta::assert_snapshot!(error("[worker]\nconcurrency = \"many\"\n"), @r#"gleaner.toml:2:15: invalid type: string "many", expected a nonzero u32"#);
    insta::assert_snapshot!(error("[worker\n"), @"gleaner.toml:1:8: unclosed table, expected `]`");
    insta::assert_snapshot!(error("[enrich]\nmin_confidence = 1.5\n"), @"gleaner.toml:2:18: a confidence lies between 0 and 1");
}

#[test]
fn values_out_of_range_are_listed_all_at_once() {
    let text = r#"
        policy_version = " "
        database = "mysql://db"
        [enrich]
        wanted = []
        tiers = [["gravatar", "githup"], ["gravatar"]]
        [web]
        allow_nets = ["10.0.0.0/8", "::/0"]
        [retry]
        base_ms = 0
        [providers.people_data_lab]
        enabled = true
    "#;
    let problems: Vec<_> =
        Config::parse(text, "test").unwrap().problems().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
    `policy_version`: must not be empty: every record carries it
    `database`: must be `sqlite:FILE` or `postgres://USER@HOST/DATABASE`, such as `sqlite:/var/lib/gleaner/gleaner.db`; special characters are written as %XX
    `enrich.wanted`: must name at least one of name, age, social
    `retry.base_ms`: must be at least 1, and is 0
    `web.allow_nets`: `::/0` is every address; name the networks that you mean
    `providers.people_data_lab`: unknown provider `people_data_lab`; known are: gravatar, github, homepage, webfinger, gitlab, openpgp, wikidata, orcid, keybase, bluesky, enrich_so, hunter, apollo, fullenrich, people_data_labs, fullcontact, rocketreach, pipl; did you mean `people_data_labs`?
    `enrich.tiers`: unknown provider `githup`; known are: gravatar, github, homepage, webfinger, gitlab, openpgp, wikidata, orcid, keybase, bluesky, enrich_so, hunter, apollo, fullenrich, people_data_labs, fullcontact, rocketreach, pipl; did you mean `github`?
    `enrich.tiers`: names `gravatar` twice; a provider is asked once
    "#);
}

#[test]
fn quotas_are_read_in_calls_per_window() {
    for (text, calls, seconds) in [
        ("10/s", 10, 1),
        ("100/h", 100, 3600),
        ("40 / 10s", 40, 10),
        ("30/min", 30, 60),
        ("1/2 day", 1, 172_800),
    ] {
        let quota = RateText::parse(text).unwrap().0;
        assert_eq!((quota.calls.get(), quota.window.as_secs()), (calls, seconds), "{text}");
    }
    for text in ["", "10", "/s", "10/", "0/s", "10/0s", "-1/s", "10/fortnight", "ten/s"] {
        assert!(RateText::parse(text).is_err(), "{text}");
    }
}

#[test]
fn wanted_fields_are_words() {
    let config = Config::parse("[enrich]\nwanted = [\"age\"]\n", "test").unwrap();
    assert_eq!(config.enrich.wanted, [Field::Age]);
}

#[test]
fn networks_are_written_as_prefixes() {
    let config =
        Config::parse("[web]\ndeny_nets = [\"198.51.100.0/24\", \"2001:db8::/32\"]\n", "test").unwrap();
    assert_eq!(config.web.nets().deny.len(), 2);
    insta::assert_snapshot!(error("[web]\nallow_nets = [\"10.0.0.1\"]\n"), @"gleaner.toml:2:14: `10.0.0.1` is no network; write address/prefix, such as `10.1.0.0/16`");
}

#[cfg(all(feature = "nats", feature = "rabbitmq"))]
#[test]
fn doors_for_brokers_are_checked_and_hold_no_secret() {
    let text = r#"
        [nats]
        url = "http://gleaner:hunter2@127.0.0.1:4222"
        stream = "members.*"
        consumer = ""
        ack_wait_secs = 1
        batch = 50
        max_ack_pending = 49
        create = true
        [rabbitmq]
        url = "amqp://gleaner:hunter2@127.0.0.1"
        queue = ""
        prefetch = 70000
    "#;
    let problems: Vec<_> =
        Config::parse(text, "test").unwrap().problems().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @"
    `nats.url`: must start with `nats://` or `tls://`, such as `nats://127.0.0.1:4222`
    `nats.url`: must hold no password: give `user` here, and the password in GLEANER_NATS_PASSWORD or in `password_file`
    `nats.stream`: must be a name without spaces and without any of `. * > / \\`
    `nats.consumer`: must be a name without spaces and without any of `. * > / \\`
    `nats.create`: needs `nats.subject`: a new stream has to know what it keeps
    `nats.ack_wait_secs`: must be at least 2
    `nats.max_ack_pending`: must be at least `nats.batch`, or no batch ever fills
    `rabbitmq.url`: must hold no password: give the user's name here, and the password in GLEANER_RABBITMQ_PASSWORD or in `password_file`
    `rabbitmq.queue`: must be a name of 1 to 255 bytes
    `rabbitmq.prefetch`: must be at least `rabbitmq.batch`, and at most 65535
    ");
    assert!(error("[nats]\nurl = \"no url\"\n").starts_with("gleaner.toml:2:7: "));
}
