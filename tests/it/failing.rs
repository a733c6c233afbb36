//! Every provider failing in every way that the sandbox knows, with the real worker: nothing is lost, it is said who failed,
//! and what the others found is kept.
//!
//! One run a fault. In it, each provider fails for one member, and for nobody else.

use std::collections::BTreeMap;

use gleaner_providers::catalog::BUILT_INS;
use gleaner_providers::provider::{KeyNeed, Reach};
use gleaner_providers::sandbox::{
    Fault, MatchRate, Sandbox, SandboxSettings, Script, Service, ServiceSettings, When,
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::support::{Home, text};

/// Those of the second hop, and who finds the accounts that they are asked about.
const SECOND_HOP: [Service; 2] = [Service::Keybase, Service::Bluesky];
const FINDS_ACCOUNTS: Service = Service::Github;

/// Those that are asked about an address, or about its domain.
fn first_hop() -> Vec<Service> {
    Service::ALL.into_iter().filter(|service| !SECOND_HOP.contains(service)).collect()
}

/// A home whose members are looked up by these tiers, each asked at once and completely: so sure is no name and no age that the
/// field is filled.
async fn home(settings: SandboxSettings, tiers: &[&[Service]]) -> Home {
    let names = |tier: &&[Service]| tier.iter().map(|service| service.as_str()).collect::<Vec<_>>();
    let tiers: Vec<_> = tiers.iter().map(names).collect();
    let extra = format!(
        "[enrich]\nmin_confidence = {{ name = 1.0, age = 1.0, social = 0.5 }}\ntiers = {tiers:?}\n[retry]\nmax_attempts = 2\nbase_ms = 1\n"
    );
    let home = Home::new(settings, &extra).await;
    // It is off by default, for its terms.
    let config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
    home.write("gleaner.toml", config.replace("[providers.orcid]\n", "[providers.orcid]\nenabled = true\n"));
    home
}

/// What a lookup that meets this fault is logged as.
fn class(fault: Fault) -> &'static str {
    match fault {
        Fault::RateLimited => "rate_limited",
        Fault::ServerError | Fault::Timeout | Fault::Truncated | Fault::SlowDrip | Fault::Dropped => {
            "unavailable"
        }
        Fault::WrongType | Fault::BrokenSyntax | Fault::Empty | Fault::StrangePage | Fault::Oversized => {
            "malformed"
        }
        Fault::Hostile => unreachable!("it may be anything"),
    }
}

/// Strangers' hosts owe nothing: theirs is given up at once, and a page that says nothing is no match.
fn asks_strangers(service: Service) -> bool {
    let entry = BUILT_INS.iter().find(|entry| entry.name == service.as_str()).unwrap();
    (entry.descriptor)().reach == Reach::Web
}

/// A calm sandbox in which everybody is known to everybody and nobody lies.
fn candid(scripts: Vec<Script>) -> SandboxSettings {
    let mut settings = SandboxSettings { scripts, distortion: 0.0, ..SandboxSettings::calm(5) };
    // Who is told so is still waiting when the run ends.
    settings.retry_after_secs = 600;
    for service in Service::ALL {
        let match_rate = Some(MatchRate { free_mail: 1.0, own_domain: 1.0 });
        settings.providers.insert(service, ServiceSettings { match_rate, ..ServiceSettings::default() });
    }
    settings
}

/// For each service an address of somebody grown up whom everybody knows. `me@` is the mailbox that a homepage is about.
async fn members() -> &'static [(Service, String)] {
    static MEMBERS: OnceCell<Vec<(Service, String)>> = OnceCell::const_new();
    MEMBERS.get_or_init(find_members).await
}

async fn find_members() -> Vec<(Service, String)> {
    let sandbox = Sandbox::start(candid(Vec::new())).await.unwrap();
    let is_known = |address: &String| {
        let truth = sandbox.population().truth(address);
        let is_adult = truth.birth_date.is_some_and(|day| day.year() < 2000);
        is_adult && Service::ALL.iter().all(|service| truth.known_to.contains_key(service.as_str()))
    };
    let known = (0..10_000).map(|n| format!("me@site{n}.example.org")).filter(is_known);
    let members: Vec<_> = Service::ALL.into_iter().zip(known).collect();
    assert_eq!(members.len(), Service::ALL.len(), "too few are known to everybody");
    members
}

fn table(members: &[(Service, String)]) -> String {
    let rows = members.iter().map(|(service, email)| format!("{},{email}", service.as_str()));
    ["member_id,email".to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

async fn run(home: &Home, arguments: &[&str]) -> Value {
    run_with_key(home, "a-key-for-the-sandbox", arguments).await
}

async fn run_with_key(home: &Home, key: &str, arguments: &[&str]) -> Value {
    let mut command = home.command(&[arguments, &["--json"]].concat());
    for entry in BUILT_INS.iter().filter(|entry| (entry.descriptor)().key != KeyNeed::None) {
        command.env(format!("GLEANER_{}_KEY", entry.name.to_uppercase()), key);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// What is known of each member: name, birth and accounts.
type Records = BTreeMap<String, (Option<String>, Option<String>, String)>;

async fn records(home: &Home) -> Records {
    let sql = "
        SELECT member_id, full_name, birth_earliest || birth_latest, json_extract(social_profiles, '$') AS profiles
        FROM supplemental_member_information";
    let rows: Vec<(String, Option<String>, Option<String>, String)> =
        sqlx::query_as(sql).fetch_all(&home.database().await).await.unwrap();
    let urls = |profiles: &str| {
        let profiles: Vec<Value> = serde_json::from_str(profiles).unwrap();
        let mut urls: Vec<_> = profiles.iter().map(|one| one["url"].as_str().unwrap().to_owned()).collect();
        urls.sort();
        urls.join(" ")
    };
    rows.into_iter().map(|(member, name, birth, profiles)| (member, (name, birth, urls(&profiles)))).collect()
}

/// What became of the member, in the words that are kept of it: what still waits, and what stopped for good.
async fn told_of(home: &Home, member: &str) -> Option<String> {
    let sql = "
        SELECT last_error FROM enrichment_jobs WHERE member_id = ?1
        UNION ALL SELECT error FROM dead_letters WHERE member_id = ?1";
    sqlx::query_scalar(sql).bind(member).fetch_optional(&home.database().await).await.unwrap()
}

async fn logged(home: &Home, member: &str, provider: &str) -> Vec<String> {
    let sql =
        "SELECT DISTINCT outcome FROM lookup_log WHERE member_id = ?1 AND provider = ?2 ORDER BY outcome";
    sqlx::query_scalar(sql).bind(member).bind(provider).fetch_all(&home.database().await).await.unwrap()
}

/// The records of a run in which nobody fails.
async fn untroubled(tiers: &[&[Service]]) -> &'static Records {
    static OF_FIRST_HOP: OnceCell<Records> = OnceCell::const_new();
    static OF_SECOND_HOP: OnceCell<Records> = OnceCell::const_new();
    let known = if tiers.len() == 1 { &OF_FIRST_HOP } else { &OF_SECOND_HOP };
    let run_through = async || {
        let home = home(candid(Vec::new()), tiers).await;
        let file = home.write("members.csv", table(members().await));
        run(&home, &["enrich", file.to_str().unwrap()]).await;
        records(&home).await
    };
    known.get_or_init(run_through).await
}

/// Each of these services meets the fault whenever it is asked about the member that is called like it.
fn scripts(fault: Fault, services: &[Service], members: &[(Service, String)]) -> Vec<Script> {
    let failing = members.iter().filter(|(service, _)| services.contains(service));
    let always = |(service, email): &(Service, String)| Script {
        provider: *service,
        email: Some(email.clone()),
        when: When::Always,
        fault,
    };
    failing.map(always).collect()
}

/// Looks them all up; gives what `status` says then, which adds up.
async fn enrich(home: &Home, members: &[(Service, String)]) -> Value {
    let file = home.write("members.csv", table(members));
    run(home, &["enrich", "--patience", "5", file.to_str().unwrap()]).await;
    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], &status["taken_in"]), (&true.into(), &members.len().into()), "{status}");
    status
}

/// Each of these services fails for the member that is called like it.
async fn fails_for_one_member_each(fault: Fault, services: &[Service], tiers: &[&[Service]]) {
    let members = members().await;
    let failing = || members.iter().filter(|(service, _)| services.contains(service));
    let mut settings = candid(scripts(fault, services, members));
    if services.iter().all(|service| asks_strangers(*service)) {
        // Theirs is nobody's quota: nothing is resumed, and this one member would wait.
        settings.retry_after_secs = 1;
    }
    let mut home = home(settings, tiers).await;
    let status = enrich(&home, members).await;
    let found = records(&home).await;
    for (service, _) in failing() {
        let name = service.as_str();
        let (told, logged) = (told_of(&home, name).await, logged(&home, name, name).await);
        if asks_strangers(*service) {
            let is_fair = |outcome: &String| {
                matches!(outcome.as_str(), "refused" | "no_match" | "match" | "rate_limited")
            };
            assert!(!logged.is_empty() && logged.iter().all(is_fair), "{name}: {logged:?}, {told:?}");
        } else {
            assert_eq!(logged, [class(fault)], "{name}: {told:?}");
            let told =
                told.as_ref().unwrap_or_else(|| panic!("{name} failed, and nothing says so: {status}"));
            assert!(told.contains(&format!("{name}: ")), "{told}");
            // On the last chance, what was ordered may still be on its way.
            let owing = told.split("; ").filter(|one| !one.ends_with(": answer pending"));
            // A busy machine.
            let owing = owing.filter(|one| !one.ends_with("the page takes too long to read"));
            assert_eq!(owing.count(), 1, "{name} failed, and it says: {told}");
        }
        let kept =
            found.get(name).unwrap_or_else(|| panic!("{name}: what the others found was lost: {told:?}"));
        assert!(kept.0.is_some() && !kept.2.is_empty(), "{name}: {kept:?}");
    }

    // And once they are well again, everybody gets what they would have got at first.
    home.start_sandbox_anew(candid(Vec::new())).await;
    if fault == Fault::RateLimited {
        for service in services {
            run(&home, &["provider", "resume", service.as_str()]).await;
        }
    }
    if status["dead_letters"] != 0 {
        run(&home, &["dead-letters", "replay", "--all", "--yes"]).await;
    }
    run(&home, &["worker", "--until-idle", "5"]).await;
    home.is_done_with(u32::try_from(members.len()).unwrap()).await;
    let (mended, wanted) = (records(&home).await, untroubled(tiers).await);
    for (service, _) in failing().filter(|(service, _)| !asks_strangers(*service)) {
        assert_eq!(mended.get(service.as_str()), wanted.get(service.as_str()), "{}", service.as_str());
    }
}

/// Everything that is kept of the members, in one text.
async fn everything_kept(home: &Home) -> String {
    let sql = "
        SELECT group_concat(json_array(full_name, given_name, family_name, social_profiles, provenance)) AS kept
            FROM supplemental_member_information
        UNION ALL SELECT group_concat(json_array(provider, finding)) FROM provider_answers
        UNION ALL SELECT group_concat(json_array(provider, outcome)) FROM lookup_log
        UNION ALL SELECT group_concat(last_error) FROM enrichment_jobs
        UNION ALL SELECT group_concat(error) FROM dead_letters";
    let kept: Vec<Option<String>> = sqlx::query_scalar(sql).fetch_all(&home.database().await).await.unwrap();
    kept.into_iter().flatten().collect()
}

/// All that it says is an attacker's. It may be a match, none, or nothing that can be read; it is never kept.
async fn says_what_an_attacker_wants(services: &[Service], tiers: &[&[Service]]) {
    let members = members().await;
    let failing = || members.iter().filter(|(service, _)| services.contains(service));
    let home = home(candid(scripts(Fault::Hostile, services, members)), tiers).await;
    enrich(&home, members).await;
    let found = records(&home).await;
    for (service, _) in failing() {
        let name = service.as_str();
        let logged = logged(&home, name, name).await;
        let is_fair =
            |outcome: &String| matches!(outcome.as_str(), "match" | "no_match" | "malformed" | "refused");
        assert!(!logged.is_empty() && logged.iter().all(is_fair), "{name}: {logged:?}");
        let kept = found.get(name).unwrap_or_else(|| panic!("{name}: what the others found was lost"));
        assert!(kept.0.is_some() && !kept.2.is_empty(), "{name}: {kept:?}");
    }
    let kept = everything_kept(&home).await;
    // As they are, and as JSON has them.
    let attacks = ["\u{1b}", "\\u001b", "\u{202e}", "\u{200b}", "<script", "javascript:", "data:text"];
    let survived: Vec<_> = attacks.iter().filter(|attack| kept.contains(*attack)).collect();
    assert!(survived.is_empty(), "{survived:?} in what is kept");
}

/// Those that take a key, or need one.
fn vendors(which: impl Fn(KeyNeed) -> bool) -> Vec<&'static str> {
    let rows = BUILT_INS.iter().filter(|entry| which((entry.descriptor)().key));
    rows.map(|entry| entry.name).collect()
}

async fn nobody_takes_the_key(key: &str, vendors: &[&str], class: impl Fn(&str) -> &'static str) {
    let members = members().await;
    let home = home(candid(Vec::new()), &[&first_hop()]).await;
    let file = home.write("members.csv", table(members));
    run_with_key(&home, key, &["enrich", "--patience", "1", file.to_str().unwrap()]).await;
    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], &status["waiting"]), (&true.into(), &members.len().into()), "{status}");
    let found = records(&home).await;
    for (service, _) in members {
        let told = told_of(&home, service.as_str()).await.unwrap();
        for vendor in vendors {
            assert!(told.contains(&format!("{vendor}: ")), "{vendor} refused, and it says: {told}");
        }
        assert!(found[service.as_str()].0.is_some(), "what the others found is kept");
    }
    for vendor in vendors {
        let sql = "SELECT DISTINCT outcome FROM lookup_log WHERE provider = ?1";
        let outcomes: Vec<String> =
            sqlx::query_scalar(sql).bind(*vendor).fetch_all(&home.database().await).await.unwrap();
        assert_eq!(outcomes, [class(vendor)], "{vendor}");
    }
    for vendor in vendors {
        run(&home, &["provider", "resume", vendor]).await;
    }
    run(&home, &["worker", "--until-idle", "5"]).await;
    home.is_done_with(u32::try_from(members.len()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_key() {
    nobody_takes_the_key("wrong", &vendors(|key| key != KeyNeed::None), |_| "denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_credit() {
    // Of these two a plan that has no credit is one that has no access.
    let class = |vendor: &str| match vendor {
        "apollo" | "rocketreach" => "denied",
        _ => "quota_exhausted",
    };
    nobody_takes_the_key("exhausted", &vendors(|key| key == KeyNeed::Required), class).await;
}

/// Who says "slow down" says it of everybody: one run a provider.
#[tokio::test(flavor = "multi_thread")]
async fn rate_limited() {
    for service in first_hop() {
        fails_for_one_member_each(Fault::RateLimited, &[service], &[&first_hop()]).await;
    }
    for service in SECOND_HOP {
        fails_for_one_member_each(Fault::RateLimited, &[service], &[&[FINDS_ACCOUNTS], &SECOND_HOP]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile() {
    says_what_an_attacker_wants(&first_hop(), &[&first_hop()]).await;
    says_what_an_attacker_wants(&SECOND_HOP, &[&[FINDS_ACCOUNTS], &SECOND_HOP]).await;
}

macro_rules! one_run_a_fault {
    ($($name:ident: $fault:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                fails_for_one_member_each(Fault::$fault, &first_hop(), &[&first_hop()]).await;
                fails_for_one_member_each(Fault::$fault, &SECOND_HOP, &[&[FINDS_ACCOUNTS], &SECOND_HOP]).await;
            }
        )*

        #[test]
        fn no_fault_is_left_out() {
            assert_eq!([Fault::RateLimited, $(Fault::$fault),*, Fault::Hostile], Fault::ALL);
        }
    };
}

one_run_a_fault! {
    server_error: ServerError,
    timeout: Timeout,
    truncated: Truncated,
    wrong_type: WrongType,
    broken_syntax: BrokenSyntax,
    slow_drip: SlowDrip,
    empty: Empty,
    strange_page: StrangePage,
    oversized: Oversized,
    dropped: Dropped,
}
