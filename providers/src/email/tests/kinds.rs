//! Which kind of mailbox, and which name it suggests.

use super::super::MailboxKind::{self, Disposable, FreeMail, Personal, Role};
use super::super::kind::entries;
use super::email;
use crate::name::PersonName;

#[test]
fn kinds() {
    let table: &[(&str, MailboxKind)] = &[
        ("jane@example.com", Personal),
        ("jane.doe@example.com", Personal),
        ("sally@example.com", Personal),
        ("jane@notgmail.com", Personal),
        ("infojane@example.com", Personal),
        ("administrata@example.com", Personal),
        ("saleswoman.jane@example.com", Personal),
        ("jane@gmail.com", FreeMail),
        ("jane@GoogleMail.com", FreeMail),
        ("jane@outlook.de", FreeMail),
        ("jane@web.de", FreeMail),
        ("jane@qq.com", FreeMail),
        ("jane@mail.ru", FreeMail),
        ("jane@laposte.net", FreeMail),
        ("jane@libero.it", FreeMail),
        ("jane@naver.com", FreeMail),
        ("jane@uol.com.br", FreeMail),
        ("jane@seznam.cz", FreeMail),
        ("jane@yahoo.co.jp", FreeMail),
        ("jane@mailinator.com", Disposable),
        ("jane@anything.mailinator.com", Disposable),
        ("jane@10minutemail.com", Disposable),
        ("jane@guerrillamail.info", Disposable),
        ("jane@yopmail.fr", Disposable),
        ("x8k2@privaterelay.appleid.com", Disposable),
        ("info@mailinator.com", Disposable),
        ("jane@notmailinator.example", Personal),
        ("info@example.com", Role),
        ("Info@Example.com", Role),
        ("sales@example.com", Role),
        ("no-reply@example.com", Role),
        ("no_reply@example.com", Role),
        ("no.reply@example.com", Role),
        ("noreply-jobs@example.com", Role),
        ("DoNotReply@example.com", Role),
        ("postmaster@example.com", Role),
        ("customer.service@example.com", Role),
        ("info2@example.com", Role),
        ("support+ticket123@example.com", Role),
        ("bounce-4711@example.com", Role),
        ("rust-users-request@example.com", Role),
        ("kundenservice@example.com", Role),
        ("contato@example.com", Role),
        ("\"sales\"@example.com", Role),
        ("info@gmail.com", Role),
    ];
    for (text, kind) in table {
        assert_eq!(email(text).kind(), *kind, "{text}");
    }
}

#[test]
fn only_plain_words_suggest_a_name() {
    let table: &[(&str, Option<&str>)] = &[
        ("jane.doe@example.com", Some("Jane Doe")),
        ("Jane.Doe+news@gmail.com", Some("Jane Doe")),
        ("jane.van.der.berg@example.com", Some("Jane van der Berg")),
        ("jean-luc.example@example.com", Some("Jean-Luc Example")),
        ("josé.garcía@example.com", Some("José García")),
        ("jane@example.com", None),
        ("janedoe@example.com", None),
        ("jane_doe@example.com", None),
        ("j.doe@example.com", None),
        ("jane.doe99@example.com", None),
        ("jane.doe@mailinator.com", None),
        ("no.reply@example.com", None),
        ("customer.service@example.com", None),
        ("info.berlin@example.com", None),
        ("my.music@example.com", None),
        ("xyz.qrst@example.com", None),
        ("\"jane doe\"@example.com", None),
        ("a.b.c.d.e@example.com", None),
    ];
    for (text, name) in table {
        assert_eq!(email(text).name_guess().as_ref().map(PersonName::full), *name, "{text}");
    }
}

#[test]
fn the_lists_hold_what_they_can_match() {
    let [free, disposable, hosts, roles] = [
        include_str!("../free.txt"),
        include_str!("../disposable.txt"),
        include_str!("../hosts.txt"),
        include_str!("../roles.txt"),
    ];
    assert!(entries(free).count() >= 150 && entries(disposable).count() >= 300);
    for domain in entries(free).chain(entries(disposable)) {
        assert_eq!(email(&format!("x@{domain}")).domain(), domain);
    }
    for domain in entries(free) {
        assert_eq!(email(&format!("jane@{domain}")).kind(), FreeMail, "{domain}");
    }
    for domain in entries(hosts).flat_map(|line| line.split(['|', '=']).flat_map(str::split_whitespace)) {
        assert!(!domain.contains('.') || email(&format!("jane@{domain}")).kind() == FreeMail, "{domain}");
    }
    for role in entries(roles) {
        assert_eq!(email(&format!("{role}@example.com")).kind(), Role, "{role}");
        assert!(!role.contains(['_', '.', '+']) && !role.ends_with(|c: char| c.is_ascii_digit()), "{role}");
    }
}

#[test]
fn the_lists_are_sorted_within_their_sections_and_without_repeats() {
    for file in [include_str!("../free.txt"), include_str!("../disposable.txt"), include_str!("../roles.txt")]
    {
        for (line, next) in file.lines().zip(file.lines().skip(1)) {
            assert!(line.starts_with('#') || next.starts_with('#') || line < next, "{line} before {next}");
        }
        let all: std::collections::HashSet<_> = entries(file).collect();
        assert_eq!(all.len(), entries(file).count());
    }
}
