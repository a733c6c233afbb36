//! What each vendor's answers look like, and that they tell the truth where nothing distorts it.

use reqwest::Method;
use serde_json::Value;

use super::*;
use crate::sandbox::Layout;

async fn pretty(url: &str) -> String {
    serde_json::to_string_pretty(&get_json(url).await).unwrap()
}

#[tokio::test]
async fn gravatar_speaks_v3() {
    let sandbox = Sandbox::start(candid(7)).await.unwrap();
    let [gravatar, ..] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&gravatar).await, @"");
    let with_key = client().get(&gravatar).bearer_auth("k").send().await.unwrap();
    assert!(with_key.headers().contains_key("x-ratelimit-reset"));
    let with_key: Value = with_key.json().await.unwrap();
    assert_eq!((&with_key["first_name"], &with_key["is_organization"]), (&"Ada".into(), &false.into()));
    assert!(with_key["links"].is_array());
}

#[tokio::test]
async fn github_speaks_search_user_and_social_accounts() {
    let sandbox = Sandbox::start(candid(7)).await.unwrap();
    let [_, search, ..] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&search).await, @"");
    let user = format!("{}/github/users/ada-example", sandbox.url());
    insta::assert_snapshot!(pretty(&user).await, @"");
    let signed_in: Value = client().get(&user).bearer_auth("k").send().await.unwrap().json().await.unwrap();
    assert_eq!(signed_in["email"], ADA, "told to those with a token only");
    insta::assert_snapshot!(pretty(&format!("{user}/social_accounts")).await, @"");
    let commits = format!("{}/github/search/commits?q=author-email:{ADA}", sandbox.url());
    insta::assert_snapshot!(pretty(&commits).await, @"");
}

#[tokio::test]
async fn people_data_labs_speaks_v5() {
    let sandbox = Sandbox::start(candid(7)).await.unwrap();
    let [_, _, enrich, _] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&enrich).await, @"");
    let url = format!("{}/people_data_labs/v5/person/enrich", sandbox.url());
    let body = serde_json::json!({"email": ADA, "data_include": "full_name,birth_year", "titlecase": true});
    let answer = client().post(&url).header("x-api-key", "k").json(&body).send().await.unwrap();
    let spent = answer.headers()["x-call-credits-spent"].clone();
    let limit: Value = serde_json::from_str(answer.headers()["x-ratelimit-limit"].to_str().unwrap()).unwrap();
    assert_eq!((spent.to_str().unwrap(), &limit["minute"]), ("1", &1000.into()));
    let answer: Value = answer.json().await.unwrap();
    let data = answer["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["birth_year", "full_name"], "only what was asked for");
    assert_eq!(data["full_name"], "Ada Example");
}

#[tokio::test]
async fn pages_come_in_every_layout_and_are_the_owners() {
    let sandbox = Sandbox::start(candid(7)).await.unwrap();
    let (status, page) = get(&format!("{}/homepage/lovelace-fan.example.org/", sandbox.url())).await;
    assert_eq!(status, 200);
    insta::assert_snapshot!(page, @"");
    let mut seen = Vec::new();
    for number in 0..200 {
        let domain = format!("house-{number}.example.org");
        let page = sandbox.population().page(&domain).unwrap();
        let (_, html) = get(&format!("{}/homepage/{domain}/", sandbox.url())).await;
        let stated = html.contains(&format!("me@{domain}"));
        assert_eq!(stated, page.states_address, "{domain}: {:?}", page.layout);
        if !seen.contains(&page.layout) {
            seen.push(page.layout);
        }
        if page.layout == Layout::JsonLd {
            let block = html.split("ld+json\">").nth(1).unwrap().split("</script>").next().unwrap();
            let graph: Value = serde_json::from_str(block).unwrap();
            assert_eq!(graph["@graph"][1]["@id"], "#me");
        }
    }
    assert_eq!(seen.len(), 6, "all but nobody's page: {seen:?}");
    for free_mail in ["mail.example.com", "webmail.example.net"] {
        assert_eq!(get(&format!("{}/homepage/{free_mail}/", sandbox.url())).await.0, 404);
    }
}

#[tokio::test]
async fn vendors_refuse_in_their_own_words() {
    let sandbox = Sandbox::start(candid(7)).await.unwrap();
    let base = sandbox.url();
    let enrich = format!("{base}/people_data_labs/v5/person/enrich");
    let cases = [
        (format!("{enrich}?email={ADA}"), 401, "authentication_error"),
        (format!("{enrich}?email={ADA}&api_key=wrong"), 401, "authentication_error"),
        (format!("{enrich}?email={ADA}&api_key=exhausted"), 402, "payment_required"),
        (format!("{enrich}?api_key=k"), 400, "invalid_request_error"),
        (format!("{enrich}?email={ADA}&api_key=k&min_likelihood=11"), 404, "not_found"),
        (format!("{enrich}?email={ADA}&api_key=k&required=(job AND full_name) OR lid"), 404, "not_found"),
        (format!("{base}/gravatar/v3/profiles/not-a-hash"), 404, "Profile not found"),
        (format!("{base}/github/search/users?q="), 422, "Validation Failed"),
        (format!("{base}/github/users/nobody-at-all"), 404, "Not Found"),
        (format!("{base}/github/search/users?q={ADA}"), 200, "\"total_count\":0"),
    ];
    for (url, status, word) in cases {
        let (answered, body) = get(&url).await;
        assert_eq!(answered, status, "{url}");
        assert!(body.contains(word), "{url}: {body}");
    }
    let no_agent = client().get(format!("{base}/github/users/ada-example")).header("user-agent", "");
    let no_agent = no_agent.send().await.unwrap();
    assert_eq!(no_agent.status(), 403);
    assert!(text(no_agent).await.contains("administrative rules"));
    let not_json = client().request(Method::POST, format!("{enrich}?email={ADA}&api_key=k")).body("{").send();
    assert_eq!(not_json.await.unwrap().status(), 400);
    let bills: Vec<u64> = sandbox.ledger().iter().map(|entry| entry.billed_micros.0).collect();
    assert!(bills.iter().all(|bill| *bill == 0), "neither refusals nor misses are billed");
}

#[tokio::test]
async fn what_is_not_distorted_is_true() {
    let sandbox = Sandbox::start(candid(3)).await.unwrap();
    for address in sample().iter().take(60).filter(|address| !address.contains('+')) {
        let truth = truth(&sandbox, address);
        let [gravatar, search, enrich, _] = questions(&sandbox, address);
        assert_eq!(get_json(&gravatar).await["display_name"], truth.full_name.as_str());
        let login = get_json(&search).await["items"][0]["login"].as_str().unwrap().to_owned();
        let github = truth.accounts.iter().find(|account| account.network == "github").unwrap();
        assert_eq!(login, github.handle);
        let user = get_json(&format!("{}/github/users/{login}", sandbox.url())).await;
        assert_eq!(user["name"], truth.full_name.as_str());
        if truth.is_organization {
            assert_eq!((user["type"].as_str(), get(&enrich).await.0), (Some("Organization"), 404));
            continue;
        }
        let data = &get_json(&enrich).await["data"];
        assert_eq!(data["full_name"], truth.full_name.to_lowercase().as_str());
        assert_eq!(data["birth_date"], truth.birth_date.unwrap().to_string().as_str());
    }
}
