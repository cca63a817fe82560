//! Which profile a bare id is called through.

use super::*;

#[test]
fn a_bare_id_is_called_through_the_profile_of_the_regions_geography() {
    for (region, profile) in [
        ("us-east-1", "us"),
        ("us-west-2", "us"),
        ("us-gov-west-1", "us-gov"),
        ("eu-central-1", "eu"),
        ("eu-north-1", "eu"),
        ("ap-northeast-1", "jp"),
        ("ap-northeast-3", "jp"),
        ("ap-northeast-2", "apac"),
        ("ap-southeast-1", "apac"),
        // There is none for Australia or India, so all of Asia and the Pacific.
        ("ap-southeast-2", "apac"),
        ("ap-south-1", "apac"),
        // There is none for these, so all of the world.
        ("sa-east-1", "global"),
        ("ca-central-1", "us"),
        ("me-south-1", "global"),
        ("af-south-1", "global"),
    ] {
        let expected = format!("{profile}.{SEER}");
        assert_eq!(within(region).model_id(SEER), expected, "{region}");
        assert_eq!(within(region).model_id("Seer-1"), expected, "{region}");
        let (name, home) = (format!("bedrock/{region}/{SEER}"), within("us-east-1"));
        if region.starts_with("us-gov-") {
            // Credentials of one partition are good for nothing in another.
            assert_eq!(home.problem(&name).code, Some("region_not_allowed"));
        } else {
            assert_eq!(home.target(&name).model_id, expected, "{region}, from elsewhere");
        }
    }
    assert_eq!(World::default().model_id(SEER), SEER, "no region, no profile");
}

#[test]
fn where_no_profile_is_for_the_region_the_error_lists_them() {
    for region in ["sa-east-1", "ap-northeast-1", "us-gov-east-1"] {
        for name in ["acme.mage-v1:0", "Mage"] {
            let problem = within(region).problem(name);
            assert_eq!((problem.status, problem.param.as_deref()), (404, Some("model")));
            assert!(
                problem.message.contains("us.acme.mage-v1:0, eu.acme.mage-v1:0"),
                "{}",
                problem.message
            );
            assert!(problem.message.contains(region), "{}", problem.message);
        }
    }
}

#[test]
fn regions_apart_from_the_rest_have_no_global_profile() {
    for region in ["us-gov-west-1", "cn-north-1"] {
        let problem = within(region).resolve("acme.elf-v1:0").unwrap_err();
        assert!(matches!(problem, Unresolved::Problem(_)), "{region}");
    }
}

#[test]
fn an_id_that_can_be_called_itself_is() {
    let world = within("us-east-1");
    assert_eq!(world.model_id("acme.owl-v1:0"), "acme.owl-v1:0");
    // A name of people's means what costs least trouble: the profile, where there is one.
    assert_eq!(world.model_id("Owl"), "us.acme.owl-v1:0");
    assert_eq!(within("eu-west-1").model_id("Owl"), "acme.owl-v1:0");
}

#[test]
fn a_short_name_may_stand_for_a_certain_profile() {
    for region in ["us-east-1", "eu-west-1", "sa-east-1"] {
        assert_eq!(within(region).model_id("Elf"), "global.acme.elf-v1:0");
    }
    assert_eq!(within("eu-west-1").model_id("acme.elf-v1:0"), "eu.acme.elf-v1:0");
}

#[test]
fn what_bedrock_lists_counts_more_than_the_catalogue() {
    let listing = Listing {
        models: set(&["acme.mage-v1:0", "acme.crow-v1:0", "acme.owl-v1:0", "lone"]),
        on_demand: set(&["acme.mage-v1:0"]),
        profiles: set(&[
            "ca.acme.mage-v1:0",
            "ca.acme.crow-v1:0",
            "ca.acme.phoenix-v9:0",
            "ca.acme.owl-v1:0",
        ]),
    };
    let world = World {
        listing: Some(listing),
        ..within("ca-central-1")
    };
    for (name, expected) in [
        // The catalogue says that it can't be called itself.
        ("acme.mage-v1:0", "acme.mage-v1:0"),
        // And that these can.
        ("acme.crow-v1:0", "ca.acme.crow-v1:0"),
        ("acme.owl-v1:0", "ca.acme.owl-v1:0"),
        ("Mage", "ca.acme.mage-v1:0"),
        // A model that the catalogue doesn't know.
        ("acme.phoenix-v9:0", "ca.acme.phoenix-v9:0"),
        ("lone", "lone"),
    ] {
        assert_eq!(world.model_id(name), expected, "{name}");
    }
    // The list is of the gateway's own region.
    assert_eq!(world.model_id("bedrock/us-east-1/Mage"), "us.acme.mage-v1:0");
    assert_eq!(
        world.model_id("bedrock/us-east-1/acme.crow-v1:0"),
        "acme.crow-v1:0",
        "elsewhere the catalogue counts"
    );
}
