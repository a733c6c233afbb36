//! Files that are wrong: each says where, what, and what to do.

use crate::declarative::Declaration;

/// A file that is right, to be made wrong in one place.
const RIGHT: &str = r#"title = "Directory"
docs = "https://example.com/api"
endpoint = "https://api.example.com/v1/"
key = "required"
quota = "10/s"
[request]
path = "people/{email}"
query = { fields = "name" }
headers = { authorization = "Bearer {key}" }
[[rule]]
status = [404, "5xx"]
then = "no_match"
[fields]
confidence = 0.8
assurance = "broker"
full_name = "$.name"
profiles = ["$.urls[*]", { network = "github", from = "$.github" }]
"#;

fn fault(from: &str, to: &str) -> String {
    assert!(RIGHT.contains(from), "nothing to replace: {from}");
    match Declaration::parse("directory", &RIGHT.replacen(from, to, 1)) {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn the_file_itself_is_right() {
    assert_eq!(fault("title", "title"), "nothing is wrong");
}

#[test]
fn words_that_nobody_knows_are_refused_with_the_nearest_known_one() {
    insta::assert_snapshot!(fault("quota =", "qouta ="), @"5:1: unknown field `qouta`, expected one of `title`, `docs`, `endpoint`, `reach`, `key`, `quota`, `burst`, `price_per_match`, `price_per_miss`, `terms`, `answers`, `request`, `collect`, `rule`, `fields`; did you mean `quota`?");
    insta::assert_snapshot!(fault("path =", "pth ="), @"7:1: unknown field `pth`, expected one of `method`, `path`, `query`, `headers`, `body`, `encode`; did you mean `path`?");
    insta::assert_snapshot!(fault("then = \"no_match\"", "then = \"nomatch\""), @"12:8: unknown variant `nomatch`, expected one of `match`, `no_match`, `pending`, `objected`, `rate_limited`, `quota_exhausted`, `denied`, `unavailable`, `refused`, `malformed`; did you mean `no_match`?");
    insta::assert_snapshot!(fault("full_name", "fullname"), @"16:1: unknown field `fullname`, expected one of `confidence`, `assurance`, `full_name`, `given_name`, `family_name`, `birth_date`, `birth_year`, `age`, `profiles`, `evidence`; did you mean `full_name`?");
    insta::assert_snapshot!(fault("network =", "netwrok ="), @"17:28: unknown field `netwrok`, expected one of `from`, `confidence`, `assurance`, `network`, `each`, `network_from`; did you mean `network`?");
    insta::assert_snapshot!(fault("\"github\"", "\"githup\""), @"17:26: `githup` is no network that profiles are known of; did you mean `github`?");
    insta::assert_snapshot!(fault("{email}", "{emial}"), @"7:8: unknown placeholder `{emial}`; known are {email}, {email_sha256}, {email_md5}, {local}, {domain}, {key}, {handle}, {handle.NETWORK}; did you mean `{email}`?");
    insta::assert_snapshot!(fault("\"broker\"", "\"brokr\""), @"15:13: unknown variant `brokr`, expected one of `broker`, `self_asserted`, `proven`; did you mean `broker`?");
}

#[test]
fn values_that_cannot_be_are_refused() {
    insta::assert_snapshot!(fault("\"10/s\"", "\"10 per s\""), @"5:9: `10 per s` is not a quota; write calls/window, such as `10/s`, `100/h`, `40/10s`");
    insta::assert_snapshot!(fault("0.8", "8"), @"14:14: a confidence lies between 0 and 1");
    insta::assert_snapshot!(fault("\"$.name\"", "\"$.name[\""), @"16:13: `$.name[` is no JSONPath (RFC 9535, such as `$.person.name` or `$.links[*].url`): at position 6, parser error");
    insta::assert_snapshot!(fault("\"$.name\"", "\"name\""), @"16:13: `name` is no JSONPath (RFC 9535, such as `$.person.name` or `$.links[*].url`): at position 0, parser error");
    insta::assert_snapshot!(fault("\"5xx\"", "\"many\""), @r##"11:10: `many` is no status; write `404`, `"5xx"`, `"200-299"` or a list"##);
    insta::assert_snapshot!(fault("\"5xx\"", "700"), @r##"11:10: `700` is no status; write `404`, `"5xx"`, `"200-299"` or a list"##);
    insta::assert_snapshot!(fault("https://example.com/api", "our wiki"), @"2:8: must be an https address: the page that the wire format is taken from");
    insta::assert_snapshot!(fault("https://api.example.com/v1/", "api.example.com"), @"3:12: is no URL: relative URL without a base; write `https://api.example.com/`");
    insta::assert_snapshot!(fault("title = \"Directory\"\n", ""), @"1:1: missing field `title`");
}

#[test]
fn what_does_not_go_together_is_refused() {
    insta::assert_snapshot!(fault("fields = \"name\"", "key = \"{key}\""), @"8:17: a key must not stand in a URL, which proxies log: send it in `headers` or `body`");
    insta::assert_snapshot!(fault("key = \"required\"\n", ""), @r##"5:1: sends `{key}`: declare above that it needs one, with `key = "required"`"##);
    insta::assert_snapshot!(fault("headers = { authorization = \"Bearer {key}\" }\n", ""), @r##"6:1: does not send the key that is declared: write, say, `headers = { authorization = "Bearer {key}" }`"##);
    insta::assert_snapshot!(fault("{email}", "all"), @"6:1: asks about nobody: fill `{email}`, `{email_sha256}` or another placeholder into `path`, `query`, `headers` or `body`");
    insta::assert_snapshot!(fault("people/{email}", "{handle.github}/{handle.gitlab}"), @"6:1: asks about accounts on two networks: write a file for each");
    insta::assert_snapshot!(fault("people/", "/people/"), @"7:8: is joined to `endpoint`: write it without a host and without a leading `/`");
    insta::assert_snapshot!(fault("people/{email}", "../v2/{email}"), @"3:12: `request.path` leads away from it: remove the steps up (`..`)");
    insta::assert_snapshot!(fault("people/{email}", "people?email={email}"), @"7:8: holds no `?` and no `#`: parameters belong into `query`, which encodes them");
    insta::assert_snapshot!(fault("api.example.com", "{domain}"), @r##"3:12: a host made of `{domain}` is a stranger's: set `reach = "web"`"##);
    insta::assert_snapshot!(fault("quota =", "reach = \"web\"\nquota ="), @r##"3:12: `reach = "web"` asks each member's own domain: write `https://{domain}/`"##);
    insta::assert_snapshot!(fault("status = [404, \"5xx\"]\n", ""), @"10:1: fits every answer: give it a `status`, a `where` or an `unless`");
    insta::assert_snapshot!(fault("then = \"no_match\"", "then = \"no_match\"\nafter = \"5s\""), @"10:1: `after` goes with `pending`, `rate_limited` and `quota_exhausted`");
    insta::assert_snapshot!(fault("full_name = \"$.name\"\nprofiles = [\"$.urls[*]\", { network = \"github\", from = \"$.github\" }]", ""), @"13:1: supplies nothing: give `full_name`, `birth_date`, `profiles` or another field its selector");
    insta::assert_snapshot!(fault("{email}", "{email}/{handle}"), @"6:1: `{handle}` is there when an answer is collected: it belongs into `[collect]`");
    insta::assert_snapshot!(fault("[fields]", "[collect]\npath = \"answers/{handle}\"\n[fields]"), @r##"13:1: does not send the key that is declared: write, say, `headers = { authorization = "Bearer {key}" }`"##);
    insta::assert_snapshot!(fault("then = \"no_match\"", "then = \"pending\"\nhandle = \"$.id\""), @r##"6:1: `[collect]` and a rule with `then = "pending"` and `handle` go together: the one says where the answer will be, the other what it is called"##);
    insta::assert_snapshot!(fault("quota =", "answers = \"html\"\nquota ="), @"17:13: `$.name` is no CSS selector, such as `h1.name` or `a[rel=me] @href`");
}

#[test]
fn the_name_of_the_file_is_the_providers() {
    let error = Declaration::parse("Staff-Directory", RIGHT).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"1:1: the file's name is the provider's, and `Staff-Directory` is none: write it in snake_case, such as `staff_directory.toml`");
}
