from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import account_belongings, badge_rules, described, following, locating, moderated_people, seasons

        described.register()
        moderated_people.register()
        badge_rules.register()
        locating.register()
        seasons.register()
        following.register_own()
        account_belongings.register()
