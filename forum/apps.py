from django.apps import AppConfig


class ForumConfig(AppConfig):
    name = "forum"

    def ready(self) -> None:
        from forum import badge_rules, belongings, deeds, described, findable, founding, hearing, moderated
        from portal import trusting

        described.register()
        findable.register()
        moderated.register()
        hearing.register()
        badge_rules.register()
        deeds.register()
        belongings.register()
        trusting.after_term(founding.dismiss_everywhere)
