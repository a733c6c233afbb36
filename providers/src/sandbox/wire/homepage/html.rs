//! The pages' HTML.
//!
//! Invariant: every text goes through [`escaped`] or JSON; `<` never reaches a script block.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::sandbox::population::{BirthShown, Layout, Page, Person};

/// The page as a document.
pub(super) fn render(page: &Page) -> String {
    let title = escaped(&page.domain);
    let Some((address, owner)) = page.people.first() else {
        return format!(
            "<!doctype html><html><head><title>{title}</title></head><body><h1>Under construction</h1>\
             <p>Soon there will be something here.</p></body></html>"
        );
    };
    let (head, body) = match page.layout {
        Layout::JsonLd => (json_ld(page, address, owner), format!("<h1>{}</h1>", escaped(&owner.name.full))),
        Layout::RelMe => (String::new(), rel_me(page, address, owner)),
        Layout::Staff => (String::new(), staff(page)),
        Layout::HCard | Layout::Nobody | Layout::NoIndex | Layout::Disallowed => {
            (String::new(), h_card(page, address, owner))
        }
    };
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>{title}</title>{head}</head><body>{body}</body></html>"
    )
}

fn h_card(page: &Page, address: &str, owner: &Person) -> String {
    let home = format!("https://{}/", page.domain);
    let mut card = format!(
        "<div class=\"h-card\"><a class=\"p-name u-url u-uid\" rel=\"me\" href=\"{}\">{}</a>",
        escaped(&home),
        escaped(&owner.name.full)
    );
    if page.states_address {
        let address = escaped(address);
        let _ = write!(card, " <a class=\"u-email\" href=\"mailto:{address}\">mail</a>");
    }
    if let Some(birth) = birth(page.birth, owner.birth_date) {
        let _ = write!(card, " <time class=\"dt-bday\" datetime=\"{birth}\">my birthday</time>");
    }
    card.push_str(&links(owner));
    card.push_str("</div>");
    card
}

fn rel_me(page: &Page, address: &str, owner: &Person) -> String {
    let mut body = String::from("<p>Elsewhere:</p>");
    if page.states_address {
        let _ = write!(body, "<a rel=\"me\" href=\"mailto:{}\">write to me</a>", escaped(address));
    }
    body.push_str(&links(owner));
    body
}

fn links(owner: &Person) -> String {
    owner.accounts.iter().fold(String::new(), |mut links, account| {
        let _ = write!(links, " <a rel=\"me\" href=\"{}\">{}</a>", escaped(&account.url), account.network);
        links
    })
}

fn staff(page: &Page) -> String {
    let mut body = String::from("<h1>Our people</h1><ul>");
    for (address, person) in &page.people {
        let _ =
            write!(body, "<li class=\"h-card\"><span class=\"p-name\">{}</span>", escaped(&person.name.full));
        if page.states_address {
            let address = escaped(address);
            let _ = write!(body, " <a class=\"u-email\" href=\"mailto:{address}\">{address}</a>");
        }
        if let Some(account) = person.account("linkedin") {
            let _ = write!(body, " <a class=\"u-url\" href=\"{}\">profile</a>", escaped(&account.url));
        }
        body.push_str("</li>");
    }
    body.push_str("</ul>");
    body
}

/// The person hangs in the graph by `@id`, the `@type` is a list, `sameAs` a list or a single text.
fn json_ld(page: &Page, address: &str, owner: &Person) -> String {
    let links: Vec<&str> = owner.accounts.iter().map(|account| account.url.as_str()).collect();
    let same_as = match links.as_slice() {
        [only] => json!(only),
        links => json!(links),
    };
    let kind = if owner.is_organization { "Organization" } else { "Person" };
    let mut person = json!({
        "@type": [kind], "@id": "#me", "name": owner.name.full, "url": format!("https://{}/", page.domain),
        "sameAs": same_as,
    });
    if let Value::Object(fields) = &mut person {
        if !owner.is_organization {
            fields.insert("givenName".into(), json!(owner.name.given));
            fields.insert("familyName".into(), json!(owner.name.family));
        }
        if page.states_address {
            fields.insert("email".into(), json!(format!("mailto:{address}")));
        }
        if let Some(birth) = birth(page.birth, owner.birth_date) {
            fields.insert("birthDate".into(), json!(birth));
        }
    }
    let graph = json!({
        "@context": "https://schema.org",
        "@graph": [{"@type": "WebSite", "@id": "#site", "author": {"@id": "#me"}}, person],
    });
    let text = graph.to_string().replace('<', "\\u003c");
    format!("<script type=\"application/ld+json\">{text}</script>")
}

fn birth(shown: BirthShown, born: Date) -> Option<String> {
    let (year, month, day) = (born.year(), born.month(), born.day());
    match shown {
        BirthShown::Full => Some(born.to_string()),
        BirthShown::Month => Some(format!("{year:04}-{month:02}")),
        BirthShown::Year => Some(format!("{year:04}")),
        BirthShown::DayWithoutYear => Some(format!("--{month:02}-{day:02}")),
        BirthShown::Nothing => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
