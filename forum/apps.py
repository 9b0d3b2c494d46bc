from django.apps import AppConfig


class ForumConfig(AppConfig):
    name = "forum"

    def ready(self) -> None:
        from forum import badge_rules, deeds, described, hearing, moderated

        described.register()
        moderated.register()
        hearing.register()
        badge_rules.register()
        deeds.register()
