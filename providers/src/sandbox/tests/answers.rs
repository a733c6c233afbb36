//! What each vendor's answers look like, and that they tell the truth where nothing distorts it.

use reqwest::Method;
use serde_json::Value;

use super::*;

async fn pretty(url: &str) -> String {
    serde_json::to_string_pretty(&get_json(url).await).unwrap()
}

#[tokio::test]
async fn gravatar_speaks_v3() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let [gravatar, ..] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&gravatar).await, @r#"
    {
      "avatar_alt_text": "",
      "avatar_url": "https://0.gravatar.com/avatar/c9a113580a216ed5b18c6a941ff6735df99a072d83c0ec780487e7bbad894d5f",
      "company": "Velvet Tools",
      "description": "",
      "display_name": "Ada Example",
      "hash": "c9a113580a216ed5b18c6a941ff6735df99a072d83c0ec780487e7bbad894d5f",
      "job_title": "",
      "last_profile_edit": "2026-03-01T12:00:00Z",
      "location": "Pune",
      "number_verified_accounts": 2,
      "profile_url": "https://gravatar.com/adaexample",
      "pronouns": "",
      "pronunciation": "",
      "registration_date": "2019-10-01T12:00:00Z",
      "verified_accounts": [
        {
          "is_hidden": false,
          "service_icon": "https://gravatar.com/icons/github.svg",
          "service_label": "GitHub",
          "service_type": "github",
          "url": "https://github.com/ada-example"
        },
        {
          "is_hidden": false,
          "service_icon": "https://gravatar.com/icons/twitter.svg",
          "service_label": "X",
          "service_type": "twitter",
          "url": "https://x.com/ada_example10"
        }
      ]
    }
    "#);
    let with_key = client().get(&gravatar).bearer_auth("k").send().await.unwrap();
    assert!(with_key.headers().contains_key("x-ratelimit-reset"));
    let with_key: Value = with_key.json().await.unwrap();
    assert_eq!((&with_key["first_name"], &with_key["is_organization"]), (&"Ada".into(), &false.into()));
    assert!(with_key["links"].is_array());
}

#[tokio::test]
async fn github_speaks_both_searches() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let [_, search, ..] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&search).await, @r#"
    {
      "incomplete_results": false,
      "items": [
        {
          "avatar_url": "https://avatars.githubusercontent.com/u/942375818?v=4",
          "html_url": "https://github.com/ada-example",
          "id": 942375818,
          "login": "ada-example",
          "node_id": "U_kgDO942375818",
          "score": 1.0,
          "site_admin": false,
          "type": "User",
          "url": "https://api.github.com/users/ada-example"
        }
      ],
      "total_count": 1
    }
    "#);
    let commits = format!("{}/github/search/commits?q=author-email:{ADA}", sandbox.url());
    insta::assert_snapshot!(pretty(&commits).await, @r#"
    {
      "incomplete_results": false,
      "items": [
        {
          "author": {
            "id": 942375818,
            "login": "ada-example",
            "type": "User"
          },
          "commit": {
            "author": {
              "date": "2025-02-03T04:05:06.000Z",
              "email": "ada.example@example.com",
              "name": "Ada Example"
            },
            "committer": {
              "date": "2025-02-03T04:05:06.000Z",
              "email": "ada.example@example.com",
              "name": "Ada Example"
            },
            "message": "Mend the gate"
          },
          "html_url": "https://github.com/example-org/example/commit/83d18a0d7947c05f83d18a0d7947c05f00000000",
          "score": 1.0,
          "sha": "83d18a0d7947c05f83d18a0d7947c05f00000000"
        }
      ],
      "total_count": 1
    }
    "#);
}

#[tokio::test]
async fn github_speaks_user_and_social_accounts() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let user = format!("{}/github/users/ada-example", sandbox.url());
    insta::assert_snapshot!(pretty(&user).await, @r#"
    {
      "avatar_url": "https://avatars.githubusercontent.com/u/942375818?v=4",
      "bio": null,
      "blog": "http://ada-example.example.com/",
      "company": "@velvet-tools",
      "created_at": "2015-05-01T10:00:00Z",
      "email": null,
      "followers": 1218,
      "following": 113,
      "hireable": null,
      "html_url": "https://github.com/ada-example",
      "id": 942375818,
      "location": "Pune",
      "login": "ada-example",
      "name": "Ada Example",
      "node_id": "U_kgDO942375818",
      "public_repos": 108,
      "site_admin": false,
      "twitter_username": "ada_example10",
      "type": "User",
      "updated_at": "2026-10-01T10:00:00Z",
      "url": "https://api.github.com/users/ada-example"
    }
    "#);
    let signed_in: Value = client().get(&user).bearer_auth("k").send().await.unwrap().json().await.unwrap();
    assert_eq!(signed_in["email"], ADA, "told to those with a token only");
    insta::assert_snapshot!(pretty(&format!("{user}/social_accounts")).await, @r#"
    [
      {
        "provider": "twitter",
        "url": "https://x.com/ada_example10"
      },
      {
        "provider": "generic",
        "url": "https://gitlab.com/ada-example"
      }
    ]
    "#);
}

#[tokio::test]
async fn people_data_labs_speaks_v5() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let [_, _, enrich, ..] = questions(&sandbox, ADA);
    insta::assert_snapshot!(pretty(&enrich).await, @r#"
    {
      "data": {
        "birth_date": "1988-08-09",
        "birth_year": 1988,
        "facebook_id": null,
        "facebook_url": null,
        "facebook_username": null,
        "first_name": "ada",
        "full_name": "ada example",
        "github_url": "github.com/ada-example",
        "github_username": "ada-example",
        "id": "tEsT93e7984bd85a0d80_0000",
        "job_title": "translator",
        "last_initial": "e",
        "last_name": "example",
        "linkedin_id": null,
        "linkedin_url": null,
        "linkedin_username": null,
        "location_name": "pune",
        "middle_initial": null,
        "middle_name": null,
        "profiles": [
          {
            "id": "942375818",
            "network": "github",
            "url": "github.com/ada-example",
            "username": "ada-example"
          },
          {
            "id": null,
            "network": "twitter",
            "url": "twitter.com/ada_example10",
            "username": "ada_example10"
          }
        ],
        "sex": null,
        "twitter_url": "twitter.com/ada_example10",
        "twitter_username": "ada_example10"
      },
      "likelihood": 6,
      "matched": [
        "email"
      ],
      "status": 200
    }
    "#);
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
async fn vendors_refuse_in_their_own_words() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
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
        let [gravatar, search, enrich, ..] = questions(&sandbox, address);
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
