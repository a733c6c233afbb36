//! The same seed gives the same answers: in any order, after a restart, by address or by hash.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::sandbox::population::Asked;
use crate::sandbox::{MailboxKey, Population};

async fn answers(seed: u64, addresses: &[String], backwards: bool) -> BTreeMap<String, (u16, String)> {
    let sandbox = Sandbox::start(SandboxSettings::calm(seed)).await.unwrap();
    let mut urls: Vec<String> = addresses.iter().flat_map(|address| questions(&sandbox, address)).collect();
    if backwards {
        urls.reverse();
    }
    let mut answers = BTreeMap::new();
    for url in urls {
        // Links lead back to the sandbox, whose port is another each time.
        let (status, body) = get(&url).await;
        answers.insert(url.replace(&sandbox.url(), ""), (status, body.replace(&sandbox.url(), "")));
    }
    sandbox.stop().await;
    answers
}

#[tokio::test]
async fn two_servers_and_two_orders_give_the_same_answers() {
    let mut addresses: Vec<String> = sample().into_iter().take(40).collect();
    addresses.extend((0..40).map(|number| format!("stranger{number}@house-{number}.example.net")));
    let forwards = answers(11, &addresses, false).await;
    assert_eq!(forwards, answers(11, &addresses, true).await);
    assert_ne!(forwards, answers(12, &addresses, false).await, "another seed is another population");
}

#[tokio::test]
async fn a_login_leads_back_to_its_unlisted_person_after_a_restart() {
    let address = "somebody.unheard.of@mail.example.com";
    let sandbox = Sandbox::start(candid(5)).await.unwrap();
    let [_, search, ..] = questions(&sandbox, address);
    let login = get_json(&search).await["items"][0]["login"].as_str().unwrap().to_owned();
    assert!(login.len() <= 39, "GitHub's longest login: {login}");
    sandbox.stop().await;
    let restarted = Sandbox::start(candid(5)).await.unwrap();
    let user = get_json(&format!("{}/github/users/{login}", restarted.url())).await;
    assert_eq!(user["name"], truth(&restarted, address).full_name.as_str());
}

#[test]
fn listing_one_address_moves_nobody_else() {
    let (few, many) = (Population::new(1, [ADA]), Population::new(1, [ADA, "jane.doe@mail.example.com"]));
    for address in [ADA, "stranger@example.org"] {
        assert_eq!(few.truth(address), many.truth(address));
    }
    let jane = many.truth("Jane.Doe@MAIL.example.com");
    assert!(jane.listed && jane.full_name == "Jane Doe", "letter case is not another person");
}

#[test]
fn listed_names_agree_with_their_addresses() {
    let cases = [
        (ADA, "Ada Example"),
        ("ada.example+news@example.com", "Ada Example"),
        ("jürgen.müller@mail.example.com", "Jürgen Müller"),
        ("GRACE_hartwell7@example.org", "Grace Hartwell"),
        ("info@lovelace-fan.example.org", "Lovelace Fan"),
    ];
    let population = Population::new(1, cases.map(|(address, _)| address));
    for (address, name) in cases {
        assert_eq!(population.truth(address).full_name, name);
    }
    let [plain, tagged] =
        [ADA, "ada.example+news@example.com"].map(|a| population.person(MailboxKey::of_address(a)));
    assert_eq!((plain.birth_date, plain.accounts), (tagged.birth_date, tagged.accounts), "one person");
}

#[test]
fn as_many_match_as_the_rates_say() {
    let settings = SandboxSettings::calm(9);
    let population = Population::with_settings(&settings, []);
    for (domain, service) in [
        ("mail.example.com", Service::Github),
        ("own.example.org", Service::Github),
        ("own.example.org", Service::PeopleDataLabs),
    ] {
        let rate = settings.match_rate(service);
        let expected = if domain.starts_with("mail") { rate.free_mail } else { rate.own_domain };
        let asked = (0..5000).map(|number| Asked::by_address(&format!("p{number}@{domain}")));
        let known = asked.filter(|asked| population.portrait(service, *asked).is_some()).count();
        let share = f64::from(u32::try_from(known).unwrap()) / 5000.0;
        // PDL knows no organisations: one in twenty-five.
        assert!((share - expected).abs() < 0.04, "{service:?} at {domain}: {share} for {expected}");
    }
}

#[test]
fn the_population_is_varied() {
    let population = Population::new(1, []);
    let people: Vec<Truth> = (0..2000).map(|n| population.truth(&format!("p{n}@own.example.org"))).collect();
    let share = |test: &dyn Fn(&Truth) -> bool| people.iter().filter(|truth| test(truth)).count();
    assert!(share(&|truth| truth.family_name.is_none() && !truth.is_organization) > 20, "mononyms");
    assert!(share(&|truth| !truth.full_name.is_ascii()) > 400, "scripts and accents");
    assert!(share(&|truth| truth.birth_date.is_some_and(|born| born.year() >= 2011)) > 10, "minors");
    assert!(share(&|truth| truth.is_organization) > 40, "organisations");
    let mut names: Vec<&str> = people.iter().map(|truth| truth.full_name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 900, "only {} names", names.len());
}

proptest! {
    #[test]
    fn an_address_and_its_hash_are_one_mailbox(local in "[a-zA-Z0-9.+_-]{1,20}", host in "[a-z]{1,10}") {
        let address = format!("{local}@{host}.example.org");
        let hash = EmailAddress::parse(&address).map(|email| email.sha256());
        prop_assume!(hash.is_ok());
        prop_assert_eq!(MailboxKey::of_hash(&hash.unwrap()), Some(MailboxKey::of_address(&address)));
    }

    #[test]
    fn any_login_that_leads_somewhere_is_that_persons(login in "[a-z]{1,8}-[0-9a-hj-km-np-tv-z]{13}") {
        let population = Population::new(1, []);
        prop_assert_eq!(population.mailbox_of_login(&login), None, "nobody guesses a login by its label");
    }
}
