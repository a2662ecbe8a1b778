from connector.messages.features import FEATURES
from connector.messages.manual import features_page
from tests.golden import check


def test_the_page_of_features_is_what_the_code_says() -> None:
    page = features_page()

    assert all(f"`{name}`" in page for name in FEATURES)
    check("docs/features.md", page)
