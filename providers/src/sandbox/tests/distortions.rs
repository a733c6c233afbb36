//! Every distortion occurs in life, and does what its name says.

use super::*;
use crate::sandbox::Distortion;

/// The first invented address that this service gets wrong in this way, and in no way of `but_not`.
fn victim(sandbox: &Sandbox, service: Service, of: Distortion, but_not: &[Distortion]) -> String {
    let addresses = (0..2000).map(|number| format!("p{number}@own.example.org"));
    let fits = |address: &String| {
        let truth = truth(sandbox, address);
        truth.known_to.get(service.as_str()).is_some_and(|known| {
            known.distortions.contains(&of) && !but_not.iter().any(|not| known.distortions.contains(not))
        })
    };
    addresses.into_iter().find(fits).unwrap()
}

#[tokio::test]
async fn gravatar_shows_nicknames_hidden_accounts_and_other_hashes() {
    let sandbox = Sandbox::start(all_known(2)).await.unwrap();
    let answer = async |distortion| {
        let address = victim(&sandbox, Service::Gravatar, distortion, &[]);
        let [gravatar, ..] = questions(&sandbox, &address);
        let answer = client().get(&gravatar).bearer_auth("k").send().await.unwrap().json::<Value>().await;
        (truth(&sandbox, &address), gravatar, answer.unwrap())
    };
    for distortion in [Distortion::Nickname, Distortion::WrongPerson] {
        let (truth, _, answer) = answer(distortion).await;
        assert_ne!(answer["display_name"], truth.full_name.as_str(), "{distortion:?}");
    }
    let (_, _, hidden) = answer(Distortion::HiddenAccount).await;
    let accounts = hidden["verified_accounts"].as_array().unwrap();
    assert_eq!(accounts.iter().filter(|account| account["is_hidden"] == true).count(), 1);
    assert_eq!(hidden["number_verified_accounts"], accounts.len(), "hidden ones are counted");
    let (_, asked, other) = answer(Distortion::OtherHash).await;
    assert!(!asked.ends_with(other["hash"].as_str().unwrap()));
}

#[tokio::test]
async fn github_hides_names_and_knows_some_by_their_commits_only() {
    let sandbox = Sandbox::start(all_known(2)).await.unwrap();
    let commits_only = Distortion::CommitsOnly;
    let address = victim(&sandbox, Service::Github, commits_only, &[]);
    let [_, search, ..] = questions(&sandbox, &address);
    assert_eq!(get_json(&search).await["total_count"], 0);
    let commits =
        get_json(&format!("{}/github/search/commits?q=author-email:{address}", sandbox.url())).await;
    let commit = &commits["items"][0];
    assert_eq!(commit["author"], Value::Null);
    assert_eq!(commit["commit"]["author"]["name"], truth(&sandbox, &address).full_name.as_str());

    for distortion in [Distortion::NullName, Distortion::OtherEmail] {
        let address = victim(&sandbox, Service::Github, distortion, &[commits_only]);
        let [_, search, ..] = questions(&sandbox, &address);
        let login = get_json(&search).await["items"][0]["login"].as_str().unwrap().to_owned();
        let url = format!("{}/github/users/{login}", sandbox.url());
        let user: Value = client().get(&url).bearer_auth("k").send().await.unwrap().json().await.unwrap();
        match distortion {
            Distortion::NullName => assert_eq!(user["name"], Value::Null),
            _ => assert_eq!(user["email"], "somebody.else@example.net"),
        }
    }
}

#[tokio::test]
async fn people_data_labs_pads_withholds_and_mistakes() {
    use Distortion::{
        Booleans, DeadNetwork, DuplicatedName, NoBirth, Placeholder, StaleBirth, WrongPerson, YearOnly,
    };
    let sandbox = Sandbox::start(all_known(2)).await.unwrap();
    for of in [Booleans, DeadNetwork, DuplicatedName, NoBirth, Placeholder, StaleBirth, WrongPerson, YearOnly]
    {
        let all = [Booleans, NoBirth, YearOnly, Placeholder, StaleBirth, WrongPerson];
        let others: Vec<Distortion> = all.into_iter().filter(|other| *other != of).collect();
        let address = victim(&sandbox, Service::PeopleDataLabs, of, &others);
        let [_, _, enrich, ..] = questions(&sandbox, &address);
        let data = get_json(&enrich).await["data"].take();
        let truth = truth(&sandbox, &address);
        let born = truth.birth_date.unwrap();
        let (year, day) = (&data["birth_year"], &data["birth_date"]);
        match of {
            Booleans => assert_eq!((year, day), (&true.into(), &true.into())),
            NoBirth => assert_eq!((year, day), (&Value::Null, &Value::Null)),
            YearOnly => assert_eq!((year, day), (&born.year().into(), &Value::Null)),
            Placeholder => assert_eq!(*day, format!("{}-01-01", born.year())),
            StaleBirth => assert_eq!(*year, born.year() - 1),
            DeadNetwork => {
                assert!(data["profiles"].as_array().unwrap().iter().any(|p| p["network"] == "klout"));
            }
            DuplicatedName => {
                let given = truth.given_name.to_lowercase();
                assert!(data["full_name"].as_str().unwrap().starts_with(&format!("{given} ")));
            }
            _ => assert_ne!(*year, born.year(), "a stranger's year"),
        }
    }
}
